"""The words of reports for what is data elsewhere: variants, grains, kinds of days, columns of an export.

Never: a queue's or a person's name.
"""

from collections.abc import Mapping

from callcenter.web.words import N_

VARIANTS: Mapping[str, str] = {
    "abandons_ignored": N_("abandoned left out"),
    "abandons_good": N_("abandoned in time count as kept"),
    "abandons_bad": N_("abandoned count as missed"),
    "late_abandons_bad": N_("late abandoned count as missed"),
    "short_abandons_forgiven": N_("short abandoned left out"),
    "flow_outs_bad": N_("abandoned and overflowed count as missed"),
}
GRAINS: Mapping[str, str] = {
    "half_hour": N_("Half-hours"),
    "day": N_("Days"),
    "week": N_("Weeks"),
    "month": N_("Months"),
}
GROUPED: Mapping[str, str] = {
    "none": N_("Whole hotline"),
    "queue": N_("Queue"),
    "seat_group": N_("Seat group"),
    "level": N_("Queue's level"),
    "seat": N_("Seat"),
}
LEVELS: Mapping[str, str] = {"standard": N_("Standard"), "advanced": N_("Advanced"), "vip": N_("VIP")}
DAYS: Mapping[str, str] = {
    "workday": N_("Workday"),
    "swapped": N_("Swapped workday"),
    "weekend": N_("Weekend"),
    "holiday": N_("Holiday"),
    "unknown": N_("Calendar not published"),
}
WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"), N_("Holiday"), N_("Swapped"))
VIEWS: Mapping[str, str] = {"figures": N_("Figures"), "heat": N_("Heat map"), "ahead": N_("Forecast")}
NO_KEY: Mapping[str, str] = {
    "queue": N_("No queue"),
    "seat_group": N_("No seat group"),
    "seat": N_("Not answered"),
}
WHOLE = N_("All together")
COLUMNS: Mapping[str, str] = {
    "period": N_("Time"),
    "from": N_("From"),
    "until": N_("Until"),
    "hours": N_("Hours"),
    "day": N_("Kind of day"),
    "queue": N_("Queue"),
    "queue_title": N_("Queue's name"),
    "seat_group": N_("Seat group"),
    "level": N_("Queue's level"),
    "seat": N_("Seat"),
    "seat_title": N_("Seat's name"),
    "calls": N_("Incoming calls"),
    "answered": N_("Answered"),
    "answered_in_time": N_("Answered in time"),
    "abandoned": N_("Abandoned, short ones included"),
    "abandoned_short": N_("Short abandoned"),
    "overflowed": N_("Overflowed"),
    "other": N_("Failed or unknown"),
    "recovered": N_("Recovered"),
    "satisfaction": N_("Share of satisfied callers"),
    "satisfaction_of_answers": N_("Answers to the survey"),
    "first_line": N_("Solved at the first contact"),
    "first_line_of_calls": N_("Calls of the first line"),
    "three_rings": N_("Within three rings"),
    "three_rings_of_calls": N_("Within three rings, of answered calls"),
    "long_holds": N_("Holds over a minute"),
    "contract_variant": N_("Contract's formula"),
    "abandon_rate": N_("Share abandoned, short ones left out"),
    "abandon_rate_of_calls": N_("Share abandoned, of calls"),
    "asa_seconds": N_("Average speed of answer, s"),
    "wait_p50_seconds": N_("Wait, median, s"),
    "wait_p90_seconds": N_("Wait, 90th percentile, s"),
    "talk_seconds": N_("Talk, mean, s"),
    "hold_seconds": N_("Hold, mean, s"),
    "wrapup_seconds": N_("Wrap-up, mean, s"),
    "wrapup_calls": N_("Calls with known wrap-up"),
    "aht_seconds": N_("Average handle time, s"),
    "unobserved_minutes": N_("Unobserved minutes"),
    "to": N_("To"),
    "time_zone": N_("Time zone"),
    "grain": N_("Grain"),
    "by": N_("Grouped by"),
    "target_share": N_("Target"),
    "threshold_seconds": N_("In time within, s"),
    "short_abandon_seconds": N_("Short abandoned within, s"),
    "threshold_of_queues": N_("In time within, s, by queue"),
    "compared_with": N_("Compared with"),
    "unobserved_before": N_("Unobserved minutes before"),
    "hour": N_("Hour"),
    "calls_per_hour": N_("Calls per observed hour"),
    "observed_hours": N_("Observed hours"),
    "unobserved_hours": N_("Unobserved hours"),
    "calls_in_unobserved_hours": N_("Calls of unobserved hours, from call records"),
    "date": N_("Date"),
    "expected_calls": N_("Calls expected"),
    "seats_needed": N_("Seats needed"),
    "occupancy": N_("Occupancy"),
    "in_time": N_("Answered in time"),
}
LEVEL_OF = N_("Service level")
BASE_OF = N_("of calls")
TOTAL = N_("Total")
