"""The proof of phrase matching: sentences that nothing was tuned on, and what is said around them in a call.

Place: ``confusion.cases`` makes garbled calls of it. What was the proof before is tuning material (``phrase_templates``).
"""

from tests.unit.phrase_proof_forbidden import BREACHES, HARMLESS
from tests.unit.phrase_proof_required import FULFILLED, MISSED
from tests.unit.phrase_templates import Templates

PROOF = Templates(
    (
        "我们三楼的复印机一直卡纸", "喂我笔记本充不进电了", "你好我想问下投屏怎么弄", "我的门禁卡刷不开了", "财务软件点了没反应",
        "我收不到验证码", "共享文件夹打不开了", "昨天报的那个修好没有", "我这个键盘好几个键失灵", "视频会议没有声音",
        "我电脑特别慢开个网页要半天", "服务器好像宕机了大家都连不上", "想给新同事开个邮箱", "扫描仪扫出来全是黑的",
        "我们这儿电话座机没有拨号音", "手机连不上公司的无线", "系统让我换密码换不了", "我把文件存哪儿了找不到", "屏幕上有一条绿线",
        "平板一直转圈进不了桌面",
    ),
    (
        "您先看一下电源灯是什么颜色", "麻烦您点一下开始菜单", "我这边已经看到您的画面了", "您把那根线换到旁边的口", "这个是缓存满了",
        "我帮您加急一下", "师傅今天下午三点到", "您再刷新一次页面", "看起来是驱动的版本低了", "我把步骤发到您手机上",
        "您点右上角的齿轮", "现在弹出来什么窗口", "好我记下来了", "这个更新要装十来分钟", "您的申请已经通过了", "麻烦您把盖子合上",
        "您按住电源键五秒", "我给您重新推送了一遍", "账号已经解开了", "那我们换一种方法", "嗯您继续说", "对就是那个蓝色的图标",
        "请您拔掉外接的硬盘", "我看您的授权是有效的", "您输入完按回车", "明天早上九点之前送到", "您选第二个选项", "路由器要重新上电",
        "我这就给您开通", "声音从右下角调大", "好的三号楼五层对吧", "您试着打印一张测试页", "这个零件我们有现货",
        "网线那头插在墙上的面板", "备份已经做完了", "您勾上记住我", "先把它卸载了再装", "我把工单号发给您", "证书装好了", "您看现在亮了吗",
    ),
    FULFILLED | BREACHES,
    MISSED | HARMLESS,
)  # fmt: skip
