"""Add up CTest's reports: summary.py FOLDER [STAGE-THAT-BROKE...].

Prints what failed, with the lines that say why, and, alone on the last line,
"N passed, N failed". Exits 1 if anything failed, was skipped, or if nothing ran:
a skip is a failure."""
import glob
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

# How our programs, Criterion, unittest, sanitizers and CTest tell what is wrong.
REASON = re.compile(r"^(not ok|# |\[----\]|FAIL)|\w*Error: |ERROR|SUMMARY: |"
                    r"WARNING: \w+Sanitizer|runtime error:|Assertion .* failed|Timeout")
REASONS_MAX = 20


def reasons(case):
    """The first and last of what tells why it failed; else the end of all."""
    printed = [line for line in (case.findtext("system-out") or "").splitlines()
               if line.strip()]
    telling = [line for line in printed if REASON.search(line.strip())]
    if not telling:
        return printed[-REASONS_MAX:]
    half = REASONS_MAX // 2
    return telling[:half] + telling[half:][-half:]


def main(folder, broken):
    passed = 0
    failed = [f"{stage}: did not come to its tests" for stage in broken]
    for report in sorted(glob.glob(f"{folder}/*.xml")):
        stage = os.path.splitext(os.path.basename(report))[0]
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            if case.get("status") == "run":
                passed += 1
            else:
                failed.append("\n".join(
                    [f"{stage}: {case.get('name')}: {case.get('status')}",
                     *(f"  {line}" for line in reasons(case))]))
    print()
    for line in failed:
        print(f"failed: {line}")
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1


sys.exit(main(sys.argv[1], sys.argv[2:]))
