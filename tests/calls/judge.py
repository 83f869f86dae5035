"""Which sentences are said in a WAV file: a recogniser that knows these sentences alone.

Reads JSON from standard input: {"wav": path, "sentences": [...]}; the file is 16 kHz, 16 bit, one
channel. Prints the sentences that were heard, one after another, as one line of JSON.
"""

import json
import sys
import tempfile
import wave

from pocketsphinx import Decoder


def main():
    asked = json.load(sys.stdin)
    with wave.open(asked["wav"]) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (16000, 1, 2)
        pcm = wav.readframes(wav.getnframes())
    alternatives = " | ".join(f"( {sentence} )" for sentence in asked["sentences"])
    with tempfile.NamedTemporaryFile("w", suffix=".gram") as grammar:
        grammar.write(f"#JSGF V1.0;\ngrammar said;\npublic <said> = ( {alternatives} )+ ;\n")
        grammar.flush()
        decoder = Decoder(jsgf=grammar.name, loglevel="FATAL")
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    heard = decoder.hyp()
    print(json.dumps(heard.hypstr if heard else ""))


main()
