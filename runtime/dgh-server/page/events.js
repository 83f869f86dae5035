// Server-sent events over fetch: EventSource cannot send the key of a call in a header.

// Times that a stream that broke is taken up again.
const TRIES = 8;
const PAUSE_MS = 700;

// Follows a stream to its end. Answers whether it ended by itself.
export async function follow(url, key, signal, tell) {
  let last = null;
  for (let tries = 0; tries < TRIES && !signal.aborted; ) {
    try {
      const headers = { authorization: `Bearer ${key}`, accept: "text/event-stream" };
      if (last) headers["last-event-id"] = last;
      const answer = await fetch(url, { headers, signal, cache: "no-store" });
      if (answer.status === 404) return false;
      if (!answer.ok) throw new Error(String(answer.status));
      let ended = false;
      await read(answer.body, (id, data) => {
        tries = 0;
        last = id ?? last;
        const event = JSON.parse(data);
        ended ||= event.type === "ended";
        tell(event);
      });
      if (ended) return true;
    } catch {
      if (signal.aborted) return true;
    }
    tries += 1;
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
  return signal.aborted;
}

async function read(body, tell) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      let id = null;
      const data = [];
      for (const line of block.split("\n")) {
        if (line.startsWith("id:")) id = line.slice(3).trim();
        if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
      }
      if (data.length) tell(id, data.join("\n"));
    }
  }
}
