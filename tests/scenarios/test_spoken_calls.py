"""Twenty spoken calls through the real vosk and the shipped script: ten with one planted error each, ten without.

Two voices that the model never heard, two tracks, G.711 with a line's hiss; ``callcenter transcribe`` hears them,
``callcenter phrases check`` judges what it wrote. In most of them the caller says what a seat must not.
"""

import itertools
import re
from pathlib import Path

import pytest

from callcenter.quality.scripts import default_script
from tests.fakes.spoken import MODEL
from tests.fakes.spoken_stories import Story, c, judged, s

CLEAN = (
    Story("018", "示例服务", (
        s("您好，示例服务，我是零一八号值班员。"), c("你好，我办公室的电脑死机了，重启了还是不行。"),
        s("您别着急，请问您贵姓？"), c("我姓王。"), s("王先生，请您先关闭电源，再打开电脑。"), c("现在可以了，谢谢。"),
        s("感谢您的来电，有问题请拨打我们的服务热线，再见。"),
    )),
    Story("205", "华信公司", (
        s("早上好，华信公司，二零五号值班员为您服务。"), c("我的邮箱打不开，密码我也不知道。"),
        s("请问怎么称呼您？"), c("我姓李。"), s("李女士，请您稍等，我马上为您重置密码。"),
        s("让您久等了，密码已经重置了。", 11), c("好的，明白了。"), s("谢谢您的来电，祝您生活愉快，再见。"),
    ), waits=True),
    Story("37", "长江科技", (
        s("您好，长江科技，工号三七，请问有什么可以帮您？"), c("你们的系统我不会用，这个不清楚。"),
        s("没关系，请问您是哪个部门的？"), c("我是服务部门的。"), s("好的，我再为您解释一下。请您打开系统，重新登录。"),
        c("知道了，可以了。"), s("感谢致电长江科技，再见。"),
    )),
    Story("1064", "东方客服", (
        s("下午好，东方客服，我是一零六四号值班员，很高兴为您服务。"), c("打印机昨天下午开始卡纸，这个不行。"),
        s("非常抱歉，请问如何与您联系？"), c("我的分机是三五二九。"), s("工程师明天上午会联系您。"),
        c("好的，谢谢您。"),
        s("不客气，感谢您的来电，再见。"),
    )),
    Story("920", "天地公司", (
        s("喂您好，天地公司，九二零号，有什么可以帮您？"), c("我想查一下工单，工单号我不知道。"),
        s("没问题，您叫什么名字？"), c("我叫张明。"), s("张先生，麻烦您等一下，我这就为您查询。"),
        s("谢谢您的耐心等待，工程师今天晚上上门。", 10), c("是的，我知道了。"),
        s("有需要请随时拨打我们的服务热线，再见。"),
    ), waits=True),
    Story("446", "示例公司", (
        s("晚上好，这里是示例公司，工号四四六。"), c("是你们自己弄坏的，我要投诉。"),
        s("很抱歉给您添麻烦了，先生贵姓？"), c("姓刘。"), s("刘先生，您说的是什么情况？"), c("显示器没有反应。"),
        s("我为您登记一下，我们会尽快处理。"), c("对，谢谢。"), s("多谢您的来电，再见。"),
    ), misheard="greeting"),
    Story("75", "华信客服", (
        s("您好，华信客服，我是七五号值班员，请问您有什么问题？"), c("网络连不上，我不清楚是什么原因。"),
        s("请问您是哪家单位？"), c("我是东方公司的。"), s("请您检查一下路由器的电源。"), c("现在好了。"),
        s("不用谢，还有其他问题吗？"), c("没有了，谢谢。"), s("感谢您的来电，祝您工作顺利，再见。"),
    )),
    Story("381", "长江服务", (
        s("你好，长江服务，三八一号值班员，请问有什么可以帮您？"), c("无法登录系统，我的密码忘记了。"),
        s("请问您的姓名？"), c("我姓陈。"), s("不行的话我们安排工程师上门，请您先试试。"), c("好的，登录了。"),
        s("工号三八一，感谢您的来电，再见。"),
    )),
    Story("0652", "东方公司", (
        s("中午好，东方公司，零六五二号值班员为您服务。"), c("扫描仪很慢，你们什么时候能修好？"),
        s("请问怎么称呼？"), c("我是刘女士。"), s("刘女士，请您稍候，马上为您核实。"),
        s("不好意思，让您久等了，工程师后天中午上门。", 12), c("不行，我等了很久。"),
        s("对不起，我帮您安排今天下午。"), c("可以。"), s("感谢您的来电，有问题请拨打我们的服务热线，再见。"),
    ), waits=True),
    Story("590", "天地科技", (
        s("新年好，天地科技，我是五九零号值班员。"), c("鼠标坏了不能用了，我不知道怎么办。"),
        s("请问您是哪里，如何与您联系？"), c("手机号码是幺三八六七二零四五九一。"), s("不清楚的话我再说一遍，好吗？"),
        c("不用，我明白了。"), s("祝您生活愉快，感谢您的来电，再见。"),
    )),
)  # fmt: skip

PLANTED = (
    Story("027", "示例服务", (
        s("您好，示例服务，我是零二七号值班员。"), c("请帮我看一下，键盘不能用了。"), s("请问您贵姓？"), c("我姓陈。"),
        s("今天工程师上门，这个肯定不行。"), c("那明天上午可以吗？"), s("明天上午可以。"), c("好的，再见。"),
        s("感谢您的来电，再见。"),
    ), "refusal", 4),
    Story("318", "华信公司", (
        s("上午好，华信公司，三一八号，很高兴为您服务。"), c("服务器什么时候能修好？"), s("请问您怎么称呼？"),
        c("我是张女士。"),
        s("张女士，这个我也不知道。"), c("你们怎么会不知道呢？"), s("我为您登记一下，工程师会联系您。"), c("好的。"),
        s("谢谢您的来电，再见。"),
    ), "dont_know", 4),
    Story("64", "长江科技", (
        s("您好，长江科技，工号六四为您服务。"), c("系统显示错误，是什么情况？"), s("请问您是哪个部门的？"),
        c("我是客服部门的。"),
        s("具体是什么原因，我们不清楚。"), c("那怎么办？"), s("我马上为您安排工程师。"), c("谢谢您。"),
        s("感谢致电长江科技，再见。"),
    ), "not_clear", 4),
    Story("1753", "东方客服", (
        s("下午好，东方客服，我是一七五三号值班员。"), c("电脑打不开了，重启了还是不行。"), s("先生贵姓？"),
        c("我姓王。"),
        s("王先生，电脑是您自己弄坏的。"), c("不是，我没有动。"), s("好的，我帮您登记。"), c("谢谢。"),
        s("感谢您的来电，祝您生活愉快，再见。"),
    ), "blame", 4),
    Story("802", "天地公司", (
        s("晚上好，天地公司，八零二号值班员，请问有什么可以帮您？"), c("网络很慢，是什么问题？"), s("请问您是哪里？"),
        c("我是华信公司的。"),
        s("这是我们公司内部的机密，别告诉别人。"), c("我明白了。"), s("网络马上会好，您别着急。"), c("好的，谢谢。"),
        s("感谢您的来电，再见。"),
    ), "internal", 4),
    Story("493", "示例公司", (
        s("喂，你好，什么问题？"), c("我的手机没有反应，我不清楚怎么用。"), s("请问您叫什么名字？"), c("我叫李明。"),
        s("请您按一下电源键。"), c("可以了。"), s("好的，感谢您的来电，再见。"),
    ), "greeting"),
    Story("56", "华信客服", (
        s("您好，华信客服，我是八一号值班员。"), c("显示器坏了，是你们的责任。"), s("请问您贵姓？"), c("我姓刘。"),
        s("刘女士，工程师明天下午会联系您。"), c("好的。"), s("感谢您的来电，有问题请拨打我们的服务热线，再见。"),
    ), "greeting"),
    Story("734", "长江服务", (
        s("你好，长江服务，我是七三四号值班员，请问有什么可以帮您？"), c("我要重置邮箱密码。"),
        s("好的，请您关闭邮箱，再重新登录。"), c("登录了，谢谢。"), s("不客气，还有其他问题吗？"), c("没有了。"),
        s("感谢您的来电，再见。"),
    ), "ask_name"),
    Story("2095", "东方公司", (
        s("中午好，东方公司，工号二零九五为您服务。"), c("打印机卡纸了，我不知道怎么弄。"), s("请问怎么称呼您？"),
        c("我姓李。"),
        s("李先生，请您打开打印机，检查一下。"), c("现在好了。"), s("没问题。"), c("谢谢，再见。"), s("好的。"),
    ), "closing"),
    Story("168", "天地科技", (
        s("您好，天地科技，我是一六八号值班员。"), c("我想问一下设备编号。"), s("请问您是哪家单位？"),
        c("我是长江公司的。"),
        s("好的，长江公司。"), s("谢谢您的耐心等待，编号是七四零二。", 13), c("知道了，这样不行。"),
        s("我再为您核实。"), c("谢谢。"),
        s("感谢您的来电，再见。"),
    ), "wait_announcement", waits=True),
)  # fmt: skip


def spellings(text: str) -> list[str]:
    """A choice of single characters stays one piece of a wording: (用|弄)错了."""
    parts = [part.strip("()").split("|") for part in re.split(r"(\([^)]*\))", text)]
    return ["".join(chosen) for chosen in itertools.product(*parts)]


def made_of(words: set[str], text: str) -> bool:
    reached = {0}
    for end in range(1, len(text) + 1):
        if any(text[start:end] in words for start in reached):
            reached.add(end)
    return len(text) in reached


def test_the_model_knows_words_of_every_forbidden_phrase() -> None:
    """Otherwise "not found" would say nothing."""
    words = {line.split()[0] for line in (MODEL / "graph" / "words.txt").read_text("utf-8").splitlines()}
    for phrase in default_script().phrases:
        if phrase.kind == "forbidden":
            texts = {"".join(part.text for part in wording if part.kind == "words") for wording in phrase.variants}
            known = [text for one in texts for text in spellings(one) if made_of(words, text)]
            assert len(known) >= 8, (phrase.name, known)


@pytest.mark.parametrize("number", range(len(CLEAN)))
def test_a_clean_call_is_accused_of_nothing(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged(CLEAN[number], tmp_path, number, capsys).accused_of_nothing()


@pytest.mark.parametrize("number", range(len(PLANTED)))
def test_a_planted_error_is_found(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged(PLANTED[number], tmp_path, number, capsys).accused_of_what_was_planted()
