"""Answers requests: a line of JSON {"operation", "args"} on stdin, a line {"value"} or {"error"} on stdout."""
import json
import os
import sys
import traceback

# what libraries print must not come between the answers
_answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def serve(*operations):
    """Answers until stdin ends. Each operation is a function, known by its name."""
    known = {operation.__name__: operation for operation in operations}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = json.dumps({"value": known[request["operation"]](**request["args"])}, allow_nan=False)
        except Exception as error:
            traceback.print_exc()
            answer = json.dumps({"error": f"{type(error).__name__}: {str(error)[:3000]}"})
        _answers.write(answer + "\n")
        _answers.flush()
