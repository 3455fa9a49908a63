"""Prompts built for real by espeak-ng and from recordings, and everything that may go wrong meanwhile."""

import os
import subprocess
import sys
import threading
import wave
from array import array
from dataclasses import replace
from itertools import accumulate, pairwise
from operator import mul
from pathlib import Path

import pytest

from callcenter.errors import BadInput, BrokenWorld
from callcenter.prompts import Company, PromptSpec, Report, Seat, build, manifest
from callcenter.prompts.espeak import Espeak
from callcenter.prompts.phrases import Voice

SHORT = {"announcement": "请您稍等。", "sorry": "很抱歉。", "survey": "请评分。", "thanks": "再见。"}
SPEC = PromptSpec(
    (Seat("1001", "1001"), Seat("1002", "8362")), (Company({"zh": "示例服务"}),), own_texts={"zh": {"common": SHORT}}
)
SEATS = ("greeting-zh-1001", "greeting-zh-1002")
VOICE = Voice("cmn-latn-pinyin", 165, 50)


def samples(folder: Path, name: str) -> "array[int]":
    """Read by the standard library, not by our own reader; also asserts what Asterisk needs."""
    with wave.open(str(folder / f"{name}.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        read = array("h", file.readframes(file.getnframes()))
        assert len(read) == file.getnframes()
        return read


def loudness(read: "array[int]", frame: int = 160) -> list[float]:
    frames = [read[start : start + frame] for start in range(0, len(read) - frame + 1, frame)]
    return [(sum(map(mul, each, each)) / frame) ** 0.5 for each in frames]


def names(folder: Path) -> set[str]:
    return {file.stem for file in folder.glob("*.wav")}


@pytest.fixture(scope="module", name="site")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    folder = tmp_path_factory.mktemp("site")
    return folder, build(SPEC, folder)


@pytest.fixture(name="folder")
def own_copy(site: tuple[Path, Report], tmp_path: Path) -> Path:
    """The built site again, to be spoilt by one test."""
    target = tmp_path / "prompts"
    subprocess.run(["cp", "-a", str(site[0]), str(target)], check=True)
    return target


def test_all_prompts_stand_there_and_the_report_tells_their_true_length(site: tuple[Path, Report]) -> None:
    folder, report = site
    assert report.ok
    assert not report.notes
    assert names(folder) == {each.name for each in report.built}
    assert {*SEATS, "announcement-zh", "sorry-zh", "survey-zh", "thanks-zh", "digit-zh-0", "digit-zh-yao"} <= names(
        folder
    )
    for each in report.built:
        assert len(samples(folder, each.name)) / 8000 == pytest.approx(each.seconds, abs=0.001)
        assert each.made_from.startswith("espeak-ng 1.")
        assert f"{each.name}  {each.seconds:.2f} s" in str(report)
    assert all(3 < each.seconds < 7 for each in report.built if each.name in SEATS)


def assert_fit_to_be_heard(folder: Path) -> None:
    """One level, not clipped, and no more than 100 ms of silence at either end."""
    for name in names(folder):
        read = samples(folder, name)
        loud = loudness(read, 80)
        heard = [index for index, level in enumerate(loud) if level > 80]  # -52 dB of full scale
        spoken = [level * level for level in loud if level > max(loud) / 18]  # 25 dB below the loudest
        assert 0.08 < (sum(spoken) / len(spoken)) ** 0.5 / 32768 < 0.11, name
        assert max(map(abs, read)) < 0.9 * 32768, name
        assert heard[0] * 10 <= 100, name
        assert (len(loud) - 1 - heard[-1]) * 10 <= 100, name


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_shipped_prompts_are_fit_to_be_heard(language: str, tmp_path: Path) -> None:
    company = Company({"zh": "示例服务", "en": "Example Services"})
    report = build(PromptSpec((Seat("1001", "8362"),), (company,), (language,), ("standard", "holiday")), tmp_path)
    assert (report.ok, report.notes) == (True, ())
    assert_fit_to_be_heard(tmp_path)


def find(part: "array[int]", whole: "array[int]") -> tuple[float, int]:
    """Best normalised correlation of the middle 30 ms of ``part`` in ``whole``, and where."""
    middle = part[len(part) // 2 - 120 : len(part) // 2 + 120]
    energy = sum(map(mul, middle, middle))
    powers = list(accumulate(map(mul, whole, whole), initial=0))
    best = (0.0, -1)
    for start in range(len(whole) - 240):
        if power := powers[start + 240] - powers[start]:
            alike = sum(map(mul, middle, whole[start : start + 240])) / (energy * power) ** 0.5
            best = max(best, (alike, start))
    return best


def test_the_greeting_says_the_digits_of_its_own_seat_in_order(site: tuple[Path, Report]) -> None:
    folder, _ = site
    greeting = samples(folder, "greeting-zh-1002")
    other = samples(folder, "greeting-zh-1001")
    found = [find(samples(folder, f"digit-zh-{digit}"), greeting) for digit in "8362"]
    assert all(alike > 0.995 for alike, _ in found)
    places = [place for _, place in found]
    assert places == sorted(places)
    # The vowel of 三 is also in 值班员: alike, but not the same.
    assert all(find(samples(folder, f"digit-zh-{digit}"), other)[0] < 0.99 for digit in "836")
    assert greeting[:8000] == pytest.approx(other[:8000], rel=0.05, abs=50)  # the same words come before


def test_the_telephone_reading_of_one_changes_what_is_heard(site: tuple[Path, Report], tmp_path: Path) -> None:
    build(replace(SPEC, one_as_yao=True), tmp_path)
    yao = samples(site[0], "digit-zh-yao")
    assert find(yao, samples(tmp_path, "greeting-zh-1001"))[0] > 0.99
    assert find(yao, samples(site[0], "greeting-zh-1001"))[0] < 0.97
    assert samples(tmp_path, "greeting-zh-1002") == samples(site[0], "greeting-zh-1002")


def test_the_same_specification_gives_the_same_bytes(site: tuple[Path, Report], tmp_path: Path) -> None:
    build(SPEC, tmp_path)
    assert all(
        (tmp_path / f"{name}.wav").read_bytes() == (site[0] / f"{name}.wav").read_bytes() for name in names(site[0])
    )


def test_only_what_changed_is_built_again_and_what_is_gone_is_removed(folder: Path) -> None:
    before = {file.name: file.stat().st_ino for file in folder.glob("*.wav")}
    again = build(SPEC, folder)
    assert (again.built, again.removed) == ((), ())
    assert len(again.kept) == len(before)
    changed = build(replace(SPEC, seats=(Seat("1001", "1003"),)), folder)
    assert [each.name for each in changed.built] == ["greeting-zh-1001"]
    assert changed.removed == ("greeting-zh-1002",)
    after = {file.name: file.stat().st_ino for file in folder.glob("*.wav")}
    assert {name for name in after if after[name] != before[name]} == {"greeting-zh-1001.wav"}
    (folder / "sorry-zh.wav").unlink()
    assert [each.name for each in build(replace(SPEC, seats=()), folder).built] == ["sorry-zh"]


def test_a_file_of_somebody_else_is_left_alone(folder: Path) -> None:
    for name in SEATS:
        (folder / f"{name}.wav").write_bytes(b"the site's own recording")
    (folder / "music.wav").write_bytes(b"not ours")
    report = build(replace(SPEC, seats=(Seat("1001", "5"),)), folder)
    (reason,) = report.failed
    assert report.failed[reason] == ("greeting-zh-1001",)
    assert "was changed since: move it into the folder of recordings" in reason
    assert report.removed == ()
    for name in (*SEATS, "music"):
        assert (folder / f"{name}.wav").read_bytes().startswith((b"the site", b"not ours"))


def test_a_reader_never_meets_half_a_file(folder: Path) -> None:
    file, done, torn, seen = folder / "greeting-zh-1001.wav", threading.Event(), [], set()

    def read() -> None:
        while not done.is_set():
            data = file.read_bytes()  # FileNotFoundError would show as torn, too: see the excepthook of threads
            seen.add(len(data))
            if len(data) < 44 or len(data) != 8 + int.from_bytes(data[4:8], "little"):
                torn.append(len(data))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in ("7", "77", "777"):
            build(replace(SPEC, seats=(Seat("1001", number),)), folder)
    finally:
        done.set()
        reader.join()
    assert not torn
    assert len(seen) >= 3


def test_a_build_that_dies_between_two_files_is_finished_by_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = replace(SPEC, seats=(Seat("1001", "5"), Seat("1002", "6")))
    real, calls = Path.replace, []

    def dies_at_the_third(self: Path, target: Path) -> Path:
        calls.append(target.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dies_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            build(new, folder)
    assert calls == [manifest.FILE, "greeting-zh-1001.wav", "greeting-zh-1002.wav"]
    report = build(new, folder)
    assert report.ok
    assert [each.name for each in report.built] == ["greeting-zh-1002"]


def espeak_that(folder: Path, does: str) -> Espeak:
    """The real espeak-ng behind a script that misbehaves when it is to say 三."""
    script = folder / "espeak"
    log = folder / "calls"
    script.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec espeak-ng --version\nwords=$(cat)\necho "$words" >> {log}\n'
        f'case "$words" in 三) {does};; esac\nprintf %s "$words" | exec espeak-ng "$@"\n'
    )
    script.chmod(0o755)
    return Espeak(str(script), timeout_seconds=20 if "kill" in does else 3)


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("kill -SEGV $$", "crashed (signal 11)"),
        ("exec sleep 60", "did not finish within 3 s"),
        ("echo no such voice >&2; exit 1", "refused the piece (no such voice)"),
        ("exit 0", "wrote no sound"),
        ('while [ "$1" != -w ]; do shift; done; : > "$2"; exit 0', "What espeak-ng said is empty"),
    ],
)
def test_a_piece_that_espeak_fails_on_costs_only_the_prompts_that_need_it(
    folder: Path, tmp_path: Path, does: str, told: str
) -> None:
    old = (folder / "greeting-zh-1002.wav").read_bytes()
    slower = {"zh": {"common": SHORT, "voice": {"words_per_minute": 170}}}
    report = build(replace(SPEC, own_texts=slower), folder, espeak=espeak_that(tmp_path, does))
    ((reason, failed),) = report.failed.items()
    assert told in reason
    assert reason.endswith(".")
    assert failed == ("digit-zh-3", "greeting-zh-1002")
    assert (folder / "greeting-zh-1002.wav").read_bytes() == old
    assert len(report.built) == len(names(folder)) - 2
    assert (tmp_path / "calls").read_text().split("\n").count("三") <= 2
    assert build(replace(SPEC, own_texts=slower), folder).ok


def test_without_espeak_nothing_is_lost_and_the_remedy_is_named(folder: Path) -> None:
    report = build(SPEC, folder, espeak=Espeak("no-such-espeak"))
    (reason,) = report.failed
    assert (
        reason
        == "no-such-espeak cannot be started (No such file or directory): install espeak-ng, or record all prompts."
    )
    assert names(folder) == {*report.failed[reason]}


def test_markup_in_a_company_name_is_spoken_and_not_obeyed() -> None:
    plain = len(Espeak().speak("甲", VOICE))
    paused = len(Espeak().speak('甲<break time="30s"/>', VOICE))
    assert plain < paused < plain + 15 * 2 * 22050
    assert len(Espeak().speak("-w /dev/null", VOICE)) > 10_000


def test_two_builds_at_once_and_a_folder_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with manifest.opened(tmp_path / "prompts"), pytest.raises(BrokenWorld, match="are being built"):
        build(SPEC, tmp_path / "prompts")
    (tmp_path / "file").write_text("x")
    with pytest.raises(BrokenWorld, match="cannot be written"):
        build(SPEC, tmp_path / "file" / "prompts")
    with pytest.raises(BadInput, match="same folder"):
        build(SPEC, tmp_path, tmp_path)
    with pytest.raises(BadInput, match=r"folder of recordings .* cannot be read"):
        build(SPEC, tmp_path / "prompts", tmp_path / "nowhere")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 9, "prompts": {}}', '{"format": 1, "prompts": {"a": [1]}}']
)
def test_a_damaged_manifest_is_refused_before_anything_is_touched(folder: Path, text: str) -> None:
    (folder / manifest.FILE).write_text(text)
    before = {file: file.read_bytes() for file in folder.glob("*.wav")}
    with pytest.raises(BadInput, match="is damaged: delete it"):
        build(replace(SPEC, seats=()), folder)
    assert {file: file.read_bytes() for file in folder.glob("*.wav")} == before


@pytest.fixture(name="recordings")
def recorded_pieces(tmp_path: Path) -> Path:
    """A studio's pieces, 44.1 kHz stereo of 24 bits at various levels: a tone for each tells them apart."""
    folder = tmp_path / "recordings"
    (folder / "zh").mkdir(parents=True)
    for place, name in enumerate(["greeting-before", "greeting-after", *(f"digit-{digit}" for digit in range(10))]):
        tone = ["synth", "0.4", "sine", str(400 + 50 * place), "gain", str(-3 - place), "pad", "0.5", "0.7"]
        target = str(folder / "zh" / f"{name}.wav")
        subprocess.run(["sox", "-D", "-n", "-r", "44100", "-c", "2", "-b", "24", target, *tone], check=True)
    return folder


def hertz(read: "array[int]", start: float) -> float:
    part = read[int(start * 8000) : int(start * 8000) + 1600]
    return sum(1 for one, two in pairwise(part) if one < 0 <= two) / 0.2


def test_recorded_pieces_are_used_in_order_at_one_level(recordings: Path, tmp_path: Path) -> None:
    report = build(SPEC, tmp_path / "out", recordings)
    assert report.ok
    made = {each.name: each.made_from for each in report.built}
    assert made["greeting-zh-1002"] == "6 recorded pieces"
    assert made["sorry-zh"].startswith("espeak-ng")
    read = samples(tmp_path / "out", "greeting-zh-1002")
    step, pause = 0.48, 0.06
    starts = [0.1, 0.1 + step + 0.12, *(0.1 + step + 0.12 + place * (step + pause) for place in (1, 2, 3))]
    heard = [hertz(read, start + 0.06) for start in starts]
    assert heard == [pytest.approx(400 + 50 * place, abs=8) for place in (0, 2 + 8, 2 + 3, 2 + 6, 2 + 2)]
    tones = [level for level in loudness(read) if level > 1000]
    assert max(tones) / min(tones) < 1.6
    assert_fit_to_be_heard(tmp_path / "out")
    assert build(SPEC, tmp_path / "out", recordings).built == ()


def test_a_missing_piece_is_named_and_no_prompt_gets_two_voices(recordings: Path, tmp_path: Path) -> None:
    (recordings / "zh" / "digit-3.wav").unlink()
    (recordings / "zh" / "digit-O.wav").write_bytes(b"")
    report = build(SPEC, tmp_path / "out", recordings)
    assert report.failed == {
        "Of the recorded pieces zh/digit-3.wav cannot be found: record all pieces of a prompt.": ("greeting-zh-1002",)
    }
    assert "zh/digit-O.wav was not used: no prompt asks for that name." in report.notes


def test_a_whole_recording_goes_before_pieces_and_a_bad_one_is_told(recordings: Path, tmp_path: Path) -> None:
    mine = recordings / "greeting-zh-1001.wav"
    loud = ["sox", "-D", "-r", "16000", "-n", "-b", "16", str(mine), "synth", "2", "sine", "1000", "gain", "6"]
    subprocess.run(loud, check=True, capture_output=True)
    report = build(SPEC, tmp_path / "out", recordings)
    assert {each.name: each.made_from for each in report.built}["greeting-zh-1001"] == "recording greeting-zh-1001.wav"
    assert hertz(samples(tmp_path / "out", "greeting-zh-1001"), 1.0) == pytest.approx(1000, abs=10)
    assert report.notes == (
        "greeting-zh-1001.wav was recorded too loud and is clipped: record it again at a lower level.",
    )
    good = (tmp_path / "out" / "greeting-zh-1001.wav").read_bytes()
    mine.write_bytes(b"ID3" + bytes(500))
    (reason,) = build(SPEC, tmp_path / "out", recordings).failed
    assert reason.startswith("greeting-zh-1001.wav is an MP3 file, not a WAV file: save it as a WAV file")
    assert (tmp_path / "out" / "greeting-zh-1001.wav").read_bytes() == good
    mine.unlink()
    os.mkfifo(mine)
    (reason,) = build(SPEC, tmp_path / "out", recordings).failed
    assert reason.startswith("greeting-zh-1001.wav is not a plain file")


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "callcenter.prompts", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)


def test_the_command_tells_by_its_exit_code_how_it_went(tmp_path: Path) -> None:
    spec = tmp_path / "prompts.toml"
    spec.write_text('[[companies]]\nzh = "示例服务"\n[[seats]]\nextension = "1001"\n', encoding="utf-8")
    good = command(spec, tmp_path / "out")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.endswith("16 built, 0 unchanged, 0 removed, 0 failed\n")
    bad = command(spec, tmp_path / "other", "--espeak", "no-such-espeak")
    assert bad.returncode == 1
    assert "FAILED" in bad.stdout
    for content in (b"[[companies]]\nzh = 5\n", b"\xff", b"= x"):
        spec.write_bytes(content)
        refused = command(spec, tmp_path / "out")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.count("\n") == 1
        assert "Traceback" not in refused.stderr
    assert command(tmp_path / "none.toml", tmp_path / "out").returncode == 2
