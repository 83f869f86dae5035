# Recognises utterances with PocketSphinx. Requests come in by stdin: a letter, a length (32 bits,
# little-endian), and so many bytes; each is answered by a line of JSON. Ends when stdin does.
#   G  JSON {"id": text, "sentences": [text]}: what may be said, to be known by an id of 16 letters
#   U  an id, and sound of 16,000 Hz: what was said. The id of 16 spaces: anything may be said
import sys
# Modules of the folder in which the server happens to run are not ours.
sys.path[:] = [folder for folder in sys.path if folder]
import collections, json, os, struct, tempfile

answers = os.fdopen(os.dup(1), "wb", 0)
os.dup2(2, 1)


def answer(**fields):
    answers.write(json.dumps(fields).encode() + b"\n")


try:
    import pocketsphinx
    from pocketsphinx.lm import ArpaBoLM
    version = __import__("importlib.metadata").metadata.version("pocketsphinx")
    model = pocketsphinx.get_model_path()
except Exception as error:
    answer(missing=type(error).__name__)
    sys.exit(0)

DICTIONARY = os.path.join(model, "en-us", "cmudict-en-us.dict")
FREE = b" " * 16
KEPT = 6
decoders = collections.OrderedDict()


def file(suffix):
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return tempfile.NamedTemporaryFile("w", suffix=suffix, dir=folder)


def learn(grammar):
    sentences = [sentence.split() for sentence in grammar["sentences"]]
    wanted = {word for sentence in sentences for word in sentence}
    known = set()
    with file(".dict") as words, file(".arpa") as arpa:
        with open(DICTIONARY, encoding="utf-8") as dictionary:
            for line in dictionary:
                word = line.split(" ", 1)[0].split("(", 1)[0]
                if word in wanted:
                    known.add(word)
                    words.write(line)
        words.flush()
        text = []
        for sentence in sentences:
            kept = [word for word in sentence if word in known]
            if kept:
                text.append("<s> " + " ".join(kept) + " </s>")
        lm = ArpaBoLM(discount_mass=0.5)
        lm.read_corpus(text)
        lm.compute()
        lm.write(arpa)
        arpa.flush()
        decoders[grammar["id"].encode()] = pocketsphinx.Decoder(
            lm=arpa.name, dict=words.name, loglevel="FATAL")
    while len(decoders) > KEPT:
        decoders.pop(next(key for key in decoders if key != FREE))
    return sorted(wanted - known)


def recognise(key, sound):
    if key == FREE and FREE not in decoders:
        decoders[FREE] = pocketsphinx.Decoder(loglevel="FATAL")
    decoder = decoders.get(key)
    if decoder is None:
        return {"unknown": True}
    decoders.move_to_end(key)
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()
    said = decoder.hyp()
    return {"text": said.hypstr or "", "prob": said.prob} if said else {"text": "", "prob": 0.0}


answer(ready=version)
requests = sys.stdin.buffer
while True:
    head = requests.read(5)
    if len(head) < 5:
        break
    kind, length = struct.unpack("<cI", head)
    body = requests.read(length)
    try:
        if kind == b"G":
            answer(dropped=learn(json.loads(body)))
        else:
            answer(**recognise(body[:16], body[16:]))
    except Exception as error:
        # What it says may hold words of the call.
        answer(error=type(error).__name__)
