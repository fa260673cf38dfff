#!/usr/bin/env python3
"""A rule as a controller: no library is needed, and the line that is read is all that it knows.

usage: autombpo train CONFIG.yaml methods/external.yaml external.command='python3 rule.py'

Trusts the model less while it predicts badly: steps the share of real data up when the validation
loss of the model rose since the last decision, and down when it fell. The model is trained at each
fourth decision. Everything else is kept.
"""

import json
import sys

KEEP, DOWN, UP = 1, 0, 2
loss_before = {}  # of each hyper-episode; several may be open at once

for line in sys.stdin:
    said = json.loads(line)
    if said["type"] == "hello":
        loss_at = said["features"].index("model_loss")
    elif said["type"] == "decide":
        episode, loss = said["hyper_episode"], said["features_raw"][loss_at]
        before = loss_before.get(episode, loss)
        wanted = {
            "train_model": int(said["decision"] % 4 == 0),
            "real_ratio": UP if loss > before else DOWN if loss < before else KEEP,
        }
        choice = {
            head: wanted.get(head, KEEP) if wanted.get(head, KEEP) in allowed else KEEP
            for head, allowed in said["allowed"].items()
        }
        answer = {"hyper_episode": episode, "decision": said["decision"], "choice": choice}
        print(json.dumps(answer), flush=True)
        loss_before[episode] = loss
    elif said["type"] == "error":
        sys.exit(said["error"])
