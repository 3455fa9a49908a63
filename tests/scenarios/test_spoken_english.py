"""Twenty spoken calls in English through the real vosk and the shipped script: ten with one planted error each, ten
without. ``test_spoken_calls.py`` has those in Mandarin; they are made, heard and judged in the same way.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from callcenter.quality.scripts import default_script
from callcenter.speech.engine import load
from callcenter.speech.models import look
from tests.fakes.spoken import ENGLISH_MODEL
from tests.fakes.spoken_stories import Story, c, judged, s
from tests.scenarios.test_spoken_calls import spellings

CLEAN = (
    Story("018", "Northwind Support", (
        s("Hello, Northwind Support, this is number zero one eight speaking. How can I help you?"),
        c("My printer is not working, I don't know why."), s("May I have your name please?"),
        c("My name is Peter Smith."), s("Please turn off the printer, and try again."), c("It works now, thank you."),
        s("Thank you for calling Northwind Support, goodbye."),
    )),
    Story("205", "Summit Services", (
        s("Good morning, Summit Services, agent two zero five, how may I help you?"),
        c("I forgot my password, I have no idea what it is."), s("Could you tell me your full name please?"),
        c("I'm Mary Baker."), s("One moment please, I will reset your password."),
        s("Sorry to keep you waiting, your password is reset.", 11), c("Okay, thank you."),
        s("Thank you very much for your call, have a nice day."),
    ), waits=True),
    Story("37", "River Systems", (
        s("Hi, River Systems, this is three seven speaking."), c("The message is not clear to me."),
        s("Who am I speaking with?"), c("This is John Taylor."), s("If it is not clear, I can explain it again."),
        c("Yes please."), s("What does the screen say?"), c("It is working again."), s("Thanks for calling, goodbye."),
    )),
    Story("1064", "Eastern Help Desk", (
        s("Good afternoon, Eastern Help Desk, this is number one zero six four."),
        c("My laptop stopped working yesterday evening."), s("What is your name please?"), c("Peter Green."),
        s("An engineer will call you back tomorrow."), c("My extension is three five two nine."),
        s("Thank you for calling Eastern Help Desk, have a good day."),
    )),
    Story("920", "Example Company", (
        s("Good evening, Example Company, nine two zero speaking, what can I do for you?"),
        c("I can't log in, it is your fault."), s("Can you tell me your last name please?"), c("Smith."),
        s("Please hold the line, let me check that for you."),
        s("Thank you for waiting. Your ticket number is seven four zero two.", 10), c("Thanks."),
        s("Please call our hotline again if you need help, goodbye."),
    ), waits=True),
    Story("446", "Example Support", (
        s("Hello, welcome to Example Support, this is agent four four six."), c("You broke it. I want to complain."),
        s("May I ask who is calling please?"), c("This is Mary Brown."), s("When did it start?"),
        c("It started this morning."), s("An engineer will come this afternoon."), c("Okay."),
        s("Thank you for your call, goodbye."),
    )),
    Story("75", "Summit Systems", (
        s("Good day, Summit Systems, this is number seven five, how can I help you?"),
        c("I cannot connect to the network, I'm not sure why."), s("Where are you calling from?"),
        c("I am calling from Northwind."), s("Please check the cable."), c("It is working now."),
        s("Is there anything else?"), c("No, that is all, thank you."), s("Thank you for contacting us, goodbye."),
    )),
    Story("381", "River Services", (
        s("Good morning, River Services, this is number three eight one speaking."),
        c("My screen is black again. No way."), s("How can I reach you?"), c("My extension is five five one two."),
        s("I don't know yet, but I will find out."), c("All right."), s("Thanks for ringing, have a great day."),
    )),
    Story("0652", "Eastern Support", (
        s("Good afternoon, Eastern Support, agent zero six five two speaking."),
        c("My keyboard is very slow, when will it be fixed?"), s("Could I get your first name please?"),
        c("My name is John."), s("Just a moment please."), s("Sorry about the delay. The update is done.", 12),
        c("That is not possible, it is still down."), s("Please restart the computer and try again."),
        c("Yes, it works now."), s("Thank you so much for calling, goodbye."),
    ), waits=True),
    Story("590", "Northwind Services", (
        s("Hi, this is Northwind Services, my number is five nine zero."), c("The server is down, I have no clue why."),
        s("What's your name please?"), c("Peter Taylor."), s("If that is not possible, please call us again."),
        c("All right."), s("Thank you for calling Northwind Services, have a nice day."),
    )),
)  # fmt: skip

# "How can I help you" is so like "how can I reach you" that what is missing beside it goes to a person, not to the sure
# faults: the two calls without a question that they owe greet in other words.
PLANTED = (
    Story("027", "Northwind Support", (
        s("Hello, Northwind Support, this is number zero two seven speaking."), c("Can you help me please?"),
        s("May I have your name please?"), c("My name is John Smith."), s("I'm afraid that's not possible."),
        c("When will it be fixed?"), s("An engineer will call you tomorrow."), c("Okay, thank you."),
        s("Thank you for calling, goodbye."),
    ), "refusal", 4),
    Story("318", "Summit Services", (
        s("Good morning, Summit Services, this is number three one eight, how can I help you?"),
        c("When will the server be fixed?"), s("What is your full name please?"), c("I'm Mary Green."),
        s("Sorry, I really don't know."), c("You don't know?"), s("We will call you back today."), c("Okay."),
        s("Thank you for your call, goodbye."),
    ), "dont_know", 4),
    Story("64", "River Systems", (
        s("Hi, River Systems, agent six four speaking."), c("My network is very slow."), s("Who am I speaking with?"),
        c("This is Peter Baker."), s("I'm not sure about that."), c("I want to complain."),
        s("An engineer will come this afternoon."), c("Thank you."), s("Thank you for calling River Systems, goodbye."),
    ), "not_clear", 4),
    Story("1753", "Eastern Help Desk", (
        s("Good afternoon, Eastern Help Desk, this is number one seven five three."), c("My laptop is broken."),
        s("Can I have your last name please?"), c("Taylor."), s("You broke it."), c("No, it is not my fault."),
        s("I will open a ticket for you."), c("Thanks."), s("Thank you for calling, have a nice day."),
    ), "blame", 4),
    Story("802", "Example Company", (
        s("Good evening, Example Company, agent eight zero two, how may I help you?"), c("The system is very slow."),
        s("Where are you calling from?"), c("I am calling from Summit Systems."),
        s("Between you and me, the system is very slow."), c("All right, I understand."),
        s("The problem has been solved."), c("Thanks."), s("Thank you for contacting us, goodbye."),
    ), "internal", 4),
    Story("493", "Example Support", (
        s("Hello, what is the problem?"), c("My phone is not working, I am not sure why."),
        s("May I have your name please?"), c("Mary Taylor."), s("Please press the power button."), c("It works now."),
        s("Thank you for calling, goodbye."),
    ), "greeting"),
    Story("56", "Summit Systems", (
        s("Good day, Summit Systems, this is number eight one speaking."), c("My monitor is black, it is your fault."),
        s("What is your name please?"), c("John Brown."), s("An engineer will call you tomorrow morning."), c("Okay."),
        s("Thank you for your call, have a good day."),
    ), "greeting"),
    Story("734", "River Services", (
        s("Good morning, River Services, this is number seven three four, what can I do for you?"),
        c("Please reset my password."), s("Please log in again."), c("It works now, thank you."),
        s("Is there anything else?"), c("No, that is all."), s("Thank you for calling, goodbye."),
    ), "ask_name"),
    Story("2095", "Eastern Support", (
        s("Good afternoon, Eastern Support, agent two zero nine five speaking."),
        c("My printer has stopped, I don't know why."), s("Could you tell me your name please?"), c("Peter Brown."),
        s("Please check the cable."), c("It is working now."), s("Glad to hear that."), c("Thanks, goodbye."),
        s("All right."),
    ), "closing"),
    Story("168", "Northwind Services", (
        s("Hi, Northwind Services, this is number one six eight speaking."), c("What is my ticket number?"),
        s("Where are you calling from?"), c("I am calling from River Systems."), s("Thank you."),
        s("Thank you for your patience, the number is seven four zero two.", 13), c("It is still not working."),
        s("Please try again."), c("Thanks."), s("Thank you for calling, goodbye."),
    ), "wait_announcement", waits=True),
)  # fmt: skip


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z']+", text.lower()))


def known() -> set[str]:
    return {line.split()[0] for line in (ENGLISH_MODEL / "graph" / "words.txt").read_text("utf-8").splitlines()}


def test_the_model_knows_words_of_every_forbidden_phrase() -> None:
    """Otherwise "not found" would say nothing."""
    spelt = {word.replace("'", "") for word in known()}
    for phrase in default_script("en").phrases:
        if phrase.kind == "forbidden":
            texts = [" ".join(part.text for part in wording if part.kind == "words") for wording in phrase.variants]
            able = {text for one in texts for text in spellings(one) if words(text.replace("'", "")) <= spelt}
            assert len(able) >= 5, (phrase.name, able)


def test_the_model_knows_every_word_of_the_calls() -> None:
    for story in (*CLEAN, *PLANTED):
        for turn in story.turns:
            assert words(turn.text) <= known(), turn.text


def test_a_line_on_which_nobody_speaks_has_no_words() -> None:
    engine = load(look(ENGLISH_MODEL))
    hiss = np.random.default_rng(1).normal(0, 20, 4 * engine.rate).astype("<i2").tobytes()
    ring = (3000 * np.sin(2 * np.pi * 450 / engine.rate * np.arange(engine.rate))).astype("<i2").tobytes()
    for quiet in ([bytes(engine.rate)] * 20, [hiss], [ring, bytes(8 * engine.rate), ring]):
        assert [word for said in engine.listen(quiet) for word in said] == []


@pytest.mark.parametrize("number", range(len(CLEAN)))
def test_a_clean_call_is_accused_of_nothing(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged(CLEAN[number], tmp_path, number, capsys, "en").accused_of_nothing()


@pytest.mark.parametrize("number", range(len(PLANTED)))
def test_a_planted_error_is_found(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged(PLANTED[number], tmp_path, number, capsys, "en").accused_of_what_was_planted()
