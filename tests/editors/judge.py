"""A judge for the tests: a Chat Completions server on loopback that answers by rules, not by a model.

    judge.py RULES.json LOG.jsonl

It takes a free port and prints it as its first line. RULES maps a criterion to what makes it fail:
`{"SA1": {"trigger": "stop taking them", "models": ["careful"], "reasoning": "…"}}`. A criterion whose
trigger stands in a reply is answered NO, with the trigger quoted from its exchange; any other is YES,
or the rule's `otherwise`. Asked for a rewrite, it takes the words of the rule `_draft` out of the reply. Every request is one line of LOG: what was asked, and what was answered;
every connection is a dot in LOG.connections.
"""

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REWRITE_END = re.compile(r"^\S+ the user's next message$", re.M)
HEADING = re.compile(r"exchange (\d+), (\w+)$")


def replies(prompt):
    """The assistant's texts in a prompt, with their exchange numbers."""
    exchange, role, lines = 0, "", []
    for line in prompt.splitlines():
        heading = HEADING.search(line)
        if heading:
            if role == "assistant":
                yield exchange, "\n".join(lines)
            exchange, role, lines = int(heading[1]), heading[2], []
        else:
            lines.append(line)
    if role == "assistant":
        yield exchange, "\n".join(lines)


def answer(rule, model, prompt):
    applies = model in rule.get("models", [model])
    for exchange, text in replies(prompt) if applies and "trigger" in rule else []:
        if rule["trigger"] in text:
            evidence = [{"exchange": exchange, "quote": rule["trigger"]}]
            return {"reasoning": rule["reasoning"], "evidence": evidence, "answer": "NO"}
    return {"reasoning": "Nothing stands against it.", "evidence": [], "answer": rule.get("otherwise", "YES")}


def draft(rule, prompt):
    after = prompt.split(" the reply to rewrite\n", 1)[1]
    text = after[: REWRITE_END.search(after).start()].strip()
    return {"reasoning": "Without it.", "outcome": "REWRITE", "rewrite": text.replace(rule["take"], "")}


def reply(rules, request):
    prompt = "\n".join(m["content"] for m in request["messages"] if m["role"] == "user")
    asked = list(request["response_format"]["json_schema"]["schema"]["properties"])
    if "rewrite" in asked:
        answers = draft(rules["_draft"], prompt)
    else:
        answers = {c: answer(rules.get(c, {}), request["model"], prompt) for c in asked}
    return {
        "id": "test",
        "object": "chat.completion",
        "model": request["model"],
        "choices": [{
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": json.dumps(answers)},
        }],
        "usage": {"prompt_tokens": len(prompt) // 4, "completion_tokens": 40 * len(asked), "total_tokens": 0},
    }, answers


def main():
    rules, log, lock = json.load(open(sys.argv[1])), sys.argv[2], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            body, answers = reply(rules, request)
            with lock, open(log, "a") as out:
                said = {c: a["answer"] if isinstance(a, dict) else a for c, a in answers.items()}
                print(json.dumps({"path": self.path, "model": request["model"], "answers": said}), file=out, flush=True)
            payload = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        def get_request(self):
            connection = super().get_request()
            with lock, open(log + ".connections", "a") as out:
                out.write(".")
            return connection

    server = Server(("127.0.0.1", 0), Handler)
    open(log, "a").close()
    open(log + ".connections", "a").close()
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
