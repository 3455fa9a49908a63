"""The words for why a recording has no transcript, and what to do: by the codes of ``speech/reasons``.

Never: a file's name, or a sentence of the worker.
"""

from collections.abc import Mapping

from callcenter.web.words import N_

REASONS: Mapping[str, tuple[str, str]] = {
    "empty": (
        N_("The recording's file is empty."),
        N_("See whether MixMonitor ran, and whether the disk was full at that time."),
    ),
    "not_wav": (
        N_("The recording is no WAV file, whatever its name says."),
        N_("Let the dialplan record .wav files; convert this one to WAV."),
    ),
    "no_sound": (
        N_("The recording holds no sound."),
        N_("See whether sound reached Asterisk in this call (RTP, firewall)."),
    ),
    "damaged": (
        N_("The recording's header is damaged."),
        N_("Put back an undamaged copy of the file."),
    ),
    "coding": (
        N_("The recording is coded in a way that cannot be read here."),
        N_("Record as WAV with PCM, A-law or u-law, not as wav49."),
    ),
    "channels": (
        N_("The recording has more than two channels."),
        N_("Record one channel for each speaker."),
    ),
    "rate": (
        N_("The recording's sample rate is out of range."),
        N_("Record with 4000 to 192000 samples per second."),
    ),
    "unreadable": (
        N_("The recording's file cannot be opened."),
        N_("Let callcenter's account read the folder of recordings."),
    ),
    "gone": (
        N_("The two tracks of the recording are not there."),
        N_("See who removes files from the folder of recordings; put them back from a backup."),
    ),
    "killed": (
        N_("The transcription was killed from outside."),
        N_("Mostly the machine ran out of memory: add some, or lower speech.workers."),
    ),
    "crashed": (
        N_("The transcription crashed."),
        N_("Mostly for want of memory: raise speech.memory_mb. Else the model does not suit the engine."),
    ),
    "hung": (
        N_("The transcription hung and was stopped."),
        N_("Check the disk of the recordings; for a large model on a slow machine raise speech.silent_seconds."),
    ),
    "memory": (
        N_("The transcription ran out of memory."),
        N_("Raise speech.memory_mb."),
    ),
    "cut_off": (
        N_("The file became shorter while it was read."),
        N_("See what else writes to the folder of recordings."),
    ),
    "read_error": (
        N_("The file could not be read to its end."),
        N_("Check the disk of the recordings."),
    ),
    "lost": (
        N_("callcenter itself ended each time while this recording was transcribed."),
        N_("See callcenter's log, and the machine's memory."),
    ),
    "other": (
        N_("Something beside the recording failed."),
        N_("See callcenter's log of that time."),
    ),
    "model": (
        N_("The speech model cannot be used; recordings wait until it can."),
        N_("Check the folder of speech.model: callcenter models check."),
    ),
    "store": (
        N_("The store of recordings does not answer; nothing is lost."),
        N_("It goes on by itself once the store answers; the status page tells the cause."),
    ),
    "folder": (
        N_("The folder of recordings is away; nothing is lost."),
        N_("It goes on by itself once asterisk.recordings_dir is there again: mount it, or give it back its name."),
    ),
    "store_damaged": (
        N_("The copy in the store of recordings is not what was written."),
        N_("Restore the copy there."),
    ),
    "not_started": (
        N_("The machine had no room to start the transcription."),
        N_("See callcenter's log for what ran out: memory, processes or open files."),
    ),
    "fault": (
        N_("A fault in callcenter ended the transcription."),
        N_("Report the fault, with the line in callcenter's log of that time."),
    ),
}
