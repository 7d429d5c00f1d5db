"""Add up CTest's reports: summary.py FOLDER [STAGE-THAT-BROKE...].

Prints what failed and, alone on the last line, "N passed, N failed". Exits 1
if anything failed, was skipped, or if nothing ran: a skip is a failure."""
import glob
import os
import sys
import xml.etree.ElementTree as ElementTree


def main(folder, broken):
    passed = 0
    failed = [f"{stage}: did not come to its tests" for stage in broken]
    for report in sorted(glob.glob(f"{folder}/*.xml")):
        stage = os.path.splitext(os.path.basename(report))[0]
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            if case.get("status") == "run":
                passed += 1
            else:
                failed.append(f"{stage}: {case.get('name')}: {case.get('status')}")
    print()
    for line in failed:
        print(f"failed: {line}")
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1


sys.exit(main(sys.argv[1], sys.argv[2:]))
