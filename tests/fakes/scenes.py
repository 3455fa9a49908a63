"""The states of the window, filled with invented people, for screenshots and for tests that look at pages."""

from dataclasses import replace
from pathlib import Path

from callcenter.calls.model import Direction, Outcome, Phase
from callcenter.web.ports import Phone
from callcenter.web.ticket_ports import Promise, Ticket
from tests.fakes import calls as story
from tests.fakes.web import Memory, Telephone
from tests.fakes.web_server import Control

PAST = (
    (
        68 * 60,
        story.NUMBER,
        "周敏",
        "北辰市第一医院",
        "门诊收费处",
        "门诊收费处 3 号窗口发票打印机脱机",
        "重启打印服务后恢复。若再次脱机，需查 5.2.1 升级后的打印驱动。",
        "open",
    ),
    (3 * 86400, story.NUMBER, "刘志强", "北辰市第一医院", "信息科", "服务器硬盘告警", "现场更换硬盘", "closed"),
    (
        20 * 86400,
        story.NUMBER,
        "周敏",
        "北辰市第一医院",
        "门诊收费处",
        "收费客户端升级 5.2.1",
        "远程升级 6 台",
        "closed",
    ),
    (11 * 60, "01055500177", "孙立", "恒岳制造", "采购部", "采购单据不同步", "", "open"),
    (25 * 60, "13800138000", "何芳", "城东税务所", "办税大厅", "打印机卡纸", "电话指导无效，需现场", "open"),
    (42 * 60, "02155500031", "赵强", "蓝湖物流", "仓储", "账号锁定", "已解锁并改密码", "closed"),
    (95 * 60, "01055500190", "林洁", "市图书馆", "借阅部", "借阅系统慢", "已转二线", "closed"),
)


def past(memory: Memory) -> None:
    """Earlier tickets, some with promises."""
    now = memory.now()
    for number, (ago, phone, name, place, part, problem, result, status) in enumerate(PAST):
        at = now - ago
        call = replace(
            story.ended(
                story.talking(story.ringing(at, call_id=f"old-{number}", caller_number=phone), at + 4), at + 192
            ),
            wait_seconds=4.4,
        )
        memory.calls_by_id[(call.server, call.call_id)] = call
        ticket = memory.open_ticket(
            call, at, caller_name=name, organisation=place, department=part, problem=problem, result=result, phone=phone
        )
        ticket = replace(
            ticket, status=status, closed_at=at + 240 if status == "closed" else None, left_open_at=at + 230
        )
        memory.tickets[ticket.ticket_id] = _promised(ticket, number, now)
    missed = replace(
        story.abandoned(story.ringing(now - 1900, call_id="old-m", caller_number="01055500166"), now - 1892),
        recovered=True,
    )
    memory.calls_by_id[(missed.server, missed.call_id)] = missed
    memory.open_ticket(missed, now - 1900)


def _promised(ticket: Ticket, number: int, now: float) -> Ticket:
    promises = {
        0: Promise("p-1", "14:30 前回电确认", now - 80, None, "li", now - 3600),
        3: Promise("p-1", "告知采购单据同步结果", now + 250, None, "li", now - 600),
        4: Promise("p-1", "安排工程师上门", now + 90 * 60, None, "li", now - 600),
    }
    return replace(ticket, promises=(promises[number],)) if number in promises else ticket


def board(memory: Memory) -> None:
    """Other seats and waiting callers, for the free seat's page."""
    now = memory.now()
    for extension, work, name, phone in (
        ("1004", "030", "秦岚", Phone.IDLE),
        ("1005", "021", "丁一", Phone.RINGING),
        ("1006", "026", "叶青", Phone.UNKNOWN),
        ("1007", "016", "高远", Phone.UNREACHABLE),
    ):
        seat = memory.seat_states["1001"]
        memory.seat_states[extension] = replace(
            seat, extension=extension, work_number=work, display_name=name, phone=phone, since=now - 20
        )
    memory.seat_states["1003"] = replace(memory.seat_states["1003"], paused=True, paused_since=now - 492)
    talk = story.talking(
        story.ringing(now - 160, seat="1002", call_id="b-1", caller_number="13900139000"), now - 151, "1002"
    )
    memory.calls_by_id[("pbx", "b-1")] = talk
    memory.calls_by_id[("pbx", "b-2")] = story.ringing(now, seat="1005", call_id="b-2", heard=3.2)
    waits = replace(
        story.ringing(now - 31, call_id="b-3"),
        phase=Phase.WAITING,
        ringing=(),
        rings=(),
        first_ring_at=None,
        rings_heard=0,
    )
    memory.calls_by_id[("pbx", "b-3")] = waits
    assert waits.direction is Direction.INBOUND


def stage(state: str, memory: Memory, control: Control, telephone: Telephone) -> int | None:
    """Put the desk of seat 1001 into a state. Returns the ticket of its call."""
    past(memory)
    if state in ("idle", "break", "offline", "outgoing"):
        board(memory)
        telephone.actions = frozenset({"pause", "dial"}) if state != "offline" else frozenset()
        seat = memory.seat_states["1001"]
        memory.seat_states["1001"] = replace(
            seat,
            paused=state == "break",
            paused_since=memory.now() - 130,
            phone={"offline": Phone.UNREACHABLE, "outgoing": Phone.IN_USE}.get(state, Phone.IDLE),
        )
        return None
    if state == "hostile":
        return control.put(
            "ringing", "now", heard=3.0, caller_number="13700137000", caller_name="<script>alert(1)</script>\u202e张三"
        )
    if state.startswith("ring"):
        return control.put("ringing", "now", heard={"ring1": 2.0, "ring2": 8.0, "ring3": 12.6, "ring4": 17.0}[state])
    if state == "caught":  # the announcement answered, and this seat is the duty manager
        ticket = control.put("ringing", "now", heard=21.0)
        call = memory.calls_by_id["pbx", "now"]
        memory.calls_by_id["pbx", "now"] = replace(call, announced_at=memory.now() - 6.1, hotline=True)
        return ticket
    if state == "handed":  # seat 1002 answered and hands the call on to 1001
        ticket = control.put("ringing", "now", heard=3.0, ago=120)
        control.put("talking", "now", ago=118)
        call = memory.calls_by_id["pbx", "now"]
        memory.calls_by_id["pbx", "now"] = story.handed_on(
            replace(call, answered_by="1002", rings=(replace(call.rings[-1], seat="1002"),)), memory.now() - 3, "1001"
        )
        fill(memory, ticket, full=False)
        return ticket
    held = {"hold": 23.0, "hold45": 47.0, "hold60": 63.0}.get(state)
    ticket = control.put("ringing", "now", heard=8.0, ago=222 + (held or 0))
    control.put("talking", "now", ago=219 + (held or 0))
    if held:
        control.put("held", "now", ago=held)
    if state in ("wrapup", "wrapup60"):
        control.put("held", "now", ago=150)
        control.put("retrieved", "now", ago=112)
        control.put("ended", "now", ago=26 if state == "wrapup" else 71)
    fill(memory, ticket, full=state.startswith("wrapup"))
    return ticket


def fill(memory: Memory, ticket_id: int, *, full: bool) -> None:
    """What the seat typed so far."""
    ticket, now = memory.tickets[ticket_id], memory.now()
    texts = {
        "organisation": "北辰市第一医院",
        "department": "门诊收费处",
        "address": "北辰市健康路 1 号 门诊楼一层 收费 3 号窗口",
        "problem": "3 号窗口收费后发票打不出来，打印机显示脱机；上午重启服务后好了一小时，现在又脱机。",
        "wants": "下午门诊高峰（15:00）前恢复，窗口不能停。",
        "handling": "远程重装 5.2.1 打印驱动，",
        "category": "打印",
    }
    if full:
        texts |= {"caller_name": "周敏", "handling": "远程重装 5.2.1 打印驱动，清后台队列。", "result": ""}
    promise = Promise("p-1", "告知处理进度", now + 27 * 60 + 20, None, "li", now - 60)
    memory.tickets[ticket_id] = replace(
        ticket,
        fields={**ticket.fields, **texts},
        promises=(promise,),
        automatic=ticket.automatic | {"organisation"},
        version=7,
    )


def recordings(memory: Memory, folder: Path) -> None:
    """A second of silence for every recorded call."""
    import wave

    (folder / "2026").mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / "2026" / "call.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 8000)
    assert Outcome.ANSWERED
