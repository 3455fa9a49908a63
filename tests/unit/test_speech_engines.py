"""What every engine promises, through the real vosk and the real sherpa-onnx, on voices that no model was made from."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from callcenter.errors import BadInput
from callcenter.speech import sound
from callcenter.speech.engine import Engine, _spoken, load
from callcenter.speech.models import checksum, look
from callcenter.speech.transcript import Word
from callcenter.speech.utterances import LONGEST_SECONDS, utterances
from callcenter.speech.wav import open_wav
from tests.fakes.spoken import MODEL, spoken

SENSE = MODEL.with_name("model-sense")
SENTENCE = "感谢您的来电有问题请拨打我们的服务热线再见"
BEFORE = 1.5
"""Seconds of silence before it."""


@pytest.fixture(scope="module", params=[MODEL, SENSE], ids=["vosk", "sherpa-onnx"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return load(look(request.param))


@pytest.fixture(scope="module")
def sentence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spoken(tmp_path_factory.mktemp("engines") / "sentence.wav", SENTENCE, before=BEFORE)


def blocks(file: Path, rate: int) -> Iterator[bytes]:
    with open_wav(file, "The recording") as wav:
        yield from sound.pcm(wav, rate)


def heard(engine: Engine, pieces: Iterable[bytes]) -> list[Word]:
    return [word for said in engine.listen(pieces) for word in said]


def share_found(said: str, wanted: str) -> float:
    """How much of ``wanted`` stands in ``said``, in its order."""
    from difflib import SequenceMatcher

    return sum(block.size for block in SequenceMatcher(None, said, wanted, False).get_matching_blocks()) / len(wanted)


def test_a_sentence_is_understood_with_the_times_of_its_words(engine: Engine, sentence: Path) -> None:
    words = heard(engine, blocks(sentence, engine.rate))
    assert share_found("".join(word.word for word in words), SENTENCE) >= 0.75
    assert all(0 <= word.conf <= 1 and word.end > word.start for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
    assert abs(words[0].start - BEFORE) < 0.4
    with open_wav(sentence, "The recording") as wav:
        assert words[-1].end <= wav.seconds + 0.1


def test_the_model_of_the_tests_is_the_one_that_was_made() -> None:
    assert checksum(SENSE) == SENSE.with_suffix(".sha256").read_text().split()[0]


def test_the_command_hears_two_tracks_through_sherpa_onnx(sentence: Path) -> None:
    command = [sys.executable, "-m", "callcenter", "transcribe", "--format", "json", "--model", str(SENSE)]
    told = subprocess.run([*command, "--seat", str(sentence)], check=True, capture_output=True, text=True)
    (segment,) = json.loads(told.stdout)["segments"]
    assert segment["speaker"] == "seat"
    assert share_found("".join(word["word"] for word in segment["words"]), SENTENCE) >= 0.75


def test_nothing_is_kept_between_two_recordings(engine: Engine, sentence: Path) -> None:
    first = heard(engine, blocks(sentence, engine.rate))
    assert heard(engine, blocks(sentence, engine.rate)) == first


def test_silence_noise_and_nothing_have_no_words(engine: Engine) -> None:
    hiss = np.random.default_rng(1).normal(0, 20, 4 * engine.rate).astype("<i2").tobytes()
    for quiet in ([], [b""], [bytes(engine.rate)] * 20, [hiss]):
        assert heard(engine, quiet) == []


def test_an_answer_comes_for_every_block(engine: Engine, sentence: Path) -> None:
    """Whoever waits sees that time goes on, also while nothing is said."""
    quiet = [bytes(engine.rate)] * 40
    assert len(list(engine.listen(quiet))) >= 40


def test_two_sentences_with_a_long_pause_are_apart(engine: Engine, sentence: Path, tmp_path: Path) -> None:
    twice = tmp_path / "twice.wav"
    subprocess.run(["sox", "-q", str(sentence), str(twice), "pad", "0", "6", "repeat", "1"], check=True)
    said = [words for words in engine.listen(blocks(twice, engine.rate)) if words]
    with open_wav(sentence, "The recording") as wav:
        second = wav.seconds + 6 + BEFORE
    later = [word for words in said for word in words if word.start > second - 1]
    assert abs(later[0].start - second) < 0.5
    assert share_found("".join(word.word for word in later), SENTENCE) >= 0.75


@pytest.mark.parametrize("model", [MODEL, SENSE], ids=["vosk", "sherpa-onnx"])
def test_a_model_that_was_not_copied_whole_is_refused_in_one_sentence(model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(model, copy)
    biggest = max((file for file in copy.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
    biggest.write_bytes(biggest.read_bytes()[: biggest.stat().st_size // 2])
    with pytest.raises(BadInput) as refused:
        load(look(copy))
    assert str(copy) in str(refused.value)
    biggest.unlink()
    with pytest.raises(BadInput, match="not copied whole"):
        look(copy)


def test_a_list_of_tokens_without_numbers_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(SENSE, copy)
    (copy / "tokens.txt").write_text("a b c\n")
    with pytest.raises(BadInput, match="no list of tokens"):
        look(copy)


class Result:
    """What sherpa-onnx tells of an utterance."""

    def __init__(self, tokens: list[str], timestamps: list[float], ys_log_probs: list[float]) -> None:
        self.tokens, self.timestamps, self.ys_log_probs = tokens, timestamps, ys_log_probs


def test_pieces_of_words_become_words() -> None:
    said = _spoken(
        Result(["<|zh|>", "你", "▁he", "llo", "好", "wor@@", "ld"], [0, 1, 2, 2.2, 3, 4, 4.1], []), 10.0, 15.0
    )
    assert [(word.word, word.start) for word in said] == [("你", 11), ("hello", 12), ("好", 13), ("world", 14)]


def test_without_time_stamps_words_are_spread_over_their_utterance() -> None:
    said = _spoken(Result(["你", "好"], [], [-0.1, -2.0]), 10.0, 11.0)
    assert [word.start for word in said] == [10.0, 10.5]
    assert said[1].conf == pytest.approx(0.135, abs=0.001)


def test_no_word_ends_before_it_begins_or_is_longer_than_a_word() -> None:
    said = _spoken(Result(["好", "ab@@", *["c@@"] * 300], [6.0, 1.0, *[2.0] * 300], [0.5] * 302), 10.0, 15.0)
    assert all(word.start <= word.end and len(word.word) <= 200 and word.conf <= 1 for word in said)
    assert [len(word.word) for word in said] == [1, 200, 102]


def tone(seconds: float, rate: int = 8000, level: float = 3000) -> bytes:
    at = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * 300 * at)).astype("<i2").tobytes()


@pytest.mark.parametrize("piece", [1, 37, 160, 8001, 10**7])
def test_utterances_are_the_same_whatever_the_blocks(piece: int) -> None:
    sound_ = bytes(16_000) + tone(1.0) + bytes(32_000) + tone(2.0) + bytes(16_000)
    if piece == 1:
        sound_ = sound_[:40_000]
    pieces = [sound_[n : n + 2 * piece] for n in range(0, len(sound_), 2 * piece)]
    found = [one for one in utterances(pieces, 8000) if one is not None]
    whole = [one for one in utterances([sound_], 8000) if one is not None]
    assert [(start, len(samples)) for start, samples in found] == [(start, len(samples)) for start, samples in whole]
    assert found[0][0] == pytest.approx(0.7, abs=0.05)


def test_who_talks_without_a_pause_is_cut_and_no_sample_is_lost_or_twice() -> None:
    rng = np.random.default_rng(2)
    loud = (rng.normal(0, 3000, 8000 * 65) * (1.5 + np.sin(np.arange(8000 * 65) / 4000))).astype("<i2")
    found = [one for one in utterances([loud.tobytes()], 8000) if one is not None]
    assert all(len(samples) <= LONGEST_SECONDS * 8000 for _, samples in found)
    assert np.array_equal(np.concatenate([samples for _, samples in found]), loud.astype(np.float32))


def test_steady_noise_is_no_utterance_but_a_voice_over_it_is() -> None:
    noise = np.random.default_rng(3).normal(0, 300, 8000 * 12)
    noise[8000 * 8 : 8000 * 9] += 5000 * np.sin(np.arange(8000) / 4)
    found = [one for one in utterances([noise.astype("<i2").tobytes()], 8000) if one is not None]
    assert [start for start, _ in found] == [pytest.approx(7.7, abs=0.05)]
