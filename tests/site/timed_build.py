"""`mkdocs build -q`, which prints at last how long judging took, and of how many claims, as JSON."""

import json
import sys
import time

from mkdocs.__main__ import cli

from scaling_lesson.site import plugin

told = {}


def timed(*args: object) -> object:
    start = time.process_time()
    verdicts = judge(*args)
    told.update(judge_s=time.process_time() - start, claims=sum(map(len, verdicts.claims.values())))
    return verdicts


if __name__ == "__main__":
    sys.modules["scaling_lesson.site.plugin"] = plugin
    judge, plugin.judge = plugin.judge, timed
    cli(["build", "-q"], standalone_mode=False)
    print(json.dumps(told))
