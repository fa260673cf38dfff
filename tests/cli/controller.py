#!/usr/bin/env python3
"""A controller for tests, which is as bad as its arguments say.

usage: controller.py [LOG [FAULT AT]]

Its answers are a function of the question. Each question is appended to LOG as a line
"HYPER_EPISODE DECISION"; at the AT-th question (from 0) it does what FAULT names instead. "hold" keeps
back what hyper-episode 0 is answered from decision AT on, until another one is sealed.
"""

import json
import sys
import time


def answer_to(question):
    """Steps, trains and sets values by what the state has."""
    episode, decision, state = (question[k] for k in ("hyper_episode", "decision", "state"))
    number = int(sum(state) * 1e6) + 7 * episode + decision
    choice, value = {}, {}
    for i, (head, allowed) in enumerate(question["allowed"].items()):
        if head == "real_ratio" and number % 3 == 0:
            value[head] = 0.1 + (number % 7) / 10
        elif head == "rollout_length" and number % 5 == 0:
            value[head] = 1 + number % 3
        else:
            choice[head] = allowed[(number >> i) % len(allowed)]
    return {"hyper_episode": episode, "decision": decision, "choice": choice, "value": value}


def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def spoil(answer, fault):
    """What is said in the place of an answer."""
    kind, _, how = fault.partition(":")
    if kind == "die":
        sys.exit(3)
    if kind == "sleep":
        time.sleep(1000)
    if kind == "flood":
        try:
            while True:
                say("x" * 65536)
        except BrokenPipeError:
            time.sleep(1000)
    if kind == "chatter":
        say("".join(json.dumps({**answer, "hyper_episode": 1000 + i}) + "\n" for i in range(5000)))
    if kind == "text":
        say(how + "\n")
    if kind == "drop":
        del answer["choice" if how in answer["choice"] else "value"][how]
    if kind == "without":
        del answer[how]
    if kind == "set":  # set:KEY=JSON, at any depth: set:value.real_ratio=7
        path, _, text = how.partition("=")
        *outer, last = path.split(".")
        inner = answer
        for key in outer:
            inner = inner[key]
        for group in ("choice", "value") if outer else ():
            answer[group].pop(last, None)
        inner[last] = json.loads(text)
    if kind != "text" and kind != "chatter":
        say(json.dumps(answer) + "\n")


def main():
    held = []
    log, fault, at = (sys.argv[1:] + ["/dev/null", "", "-1"][len(sys.argv) - 1 :])[:3]
    asked = 0
    for line in sys.stdin:
        said = json.loads(line)
        if said["type"] == "error":
            print("told:", said["error"], file=sys.stderr)
        if said["type"] == "sealed":
            say("".join(held))
            held.clear()
            fault = ""
        if said["type"] != "decide":
            continue
        with open(log, "a") as file:
            file.write(f"{said['hyper_episode']} {said['decision']}\n")
        answer = answer_to(said)
        if fault == "hold":
            if said["hyper_episode"] == 0 and said["decision"] >= int(at):
                held.append(json.dumps(answer) + "\n")
            else:
                say(json.dumps(answer) + "\n")
        elif asked == int(at):
            spoil(answer, fault)
        else:
            say(json.dumps(answer) + "\n")
        asked += 1


if __name__ == "__main__":
    main()
