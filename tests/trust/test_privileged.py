"""A program with other rights than its caller's does not go by the caller's
environment. Run by root: the program is given to an account that is not the
caller's, and the caller is a third one."""

import os
import pwd
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["TRUST_PRIVILEGED"]
PLUGINS = os.environ["TENON_TEST_PLUGINS"]
OWNER, CALLER = (pwd.getpwnam(name) for name in ("nobody", "daemon"))
MARK = "code of the caller's ran"
MANIFEST = "[plugin]\nname = spy\nabi = 1\nschemes = spy\n"


class Privileged(unittest.TestCase):
    """A folder with a plug-in that would be trusted, if it were looked at: it
    belongs to root, so that nothing but the rights keeps it out."""

    def setUp(self):
        self.assertEqual(0, os.geteuid(), "only root can give a program other rights")
        self.folder = tempfile.mkdtemp(prefix="tenon-trust-")
        self.addCleanup(shutil.rmtree, self.folder)
        os.chmod(self.folder, 0o755)
        self.plugins = self.make_folder("plugins")
        shutil.copy(os.path.join(PLUGINS, "spy.so"), self.plugins)
        self.write("plugins/spy.ini", MANIFEST)
        self.config = self.write("caller.ini", "[database]\nmax_pool_size = 7\n")
        for home in (".config", ".local/state"):
            self.make_folder(home + "/tenon/plugins.d")
            self.write(home + "/tenon/tenon.ini", "[database]\nmax_pool_size = 8\n")
            self.write(home + "/tenon/plugins.d/spy.ini", MANIFEST)
        self.write(".tenon.ini", "[database]\nmax_pool_size = 9\n")
        # A clone in root's home: the folders that the library was built to look in
        # are closed to the caller, and it says so.
        self.is_closed = subprocess.run(
            ["test", "-x", os.path.dirname(PROGRAM)], check=False,
            user=CALLER.pw_uid, group=CALLER.pw_gid, extra_groups=[]).returncode != 0
        self.program = os.path.join(self.make_folder("program"), "program")
        shutil.copy(PROGRAM, self.program)
        os.chmod(self.program, 0o755)

    def make_folder(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, 0o755)
        return path

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        return path

    def run_program(self, *more, path=None):
        """Its output by what each line is about, and what the spy left."""
        read_end, write_end = os.pipe()
        environment = dict(
            PATH="/usr/bin:/bin", LC_ALL="C.UTF-8", HOME=self.folder,
            ASAN_OPTIONS="abort_on_error=1",
            XDG_CONFIG_HOME=os.path.join(self.folder, ".config"),
            XDG_STATE_HOME=os.path.join(self.folder, ".local/state"),
            XDG_CONFIG_DIRS=os.path.join(self.folder, ".config"),
            XDG_DATA_DIRS=self.folder,
            TENON_PLUGIN_PATH=path or self.plugins,
            TENON_CONFIG=self.config, TENON_CONFIG_FILE=self.config, TRUST_SECRET="from the caller",
            TENON_TEST_SPY=str(write_end))
        done = subprocess.run(
            [self.program, self.plugins, *more], env=environment, cwd=self.plugins, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
            pass_fds=(write_end,), user=CALLER.pw_uid, group=CALLER.pw_gid, extra_groups=[])
        os.close(write_end)
        marks = os.read(read_end, 100)
        os.close(read_end)
        self.assertEqual(0, done.returncode, done.stdout)
        told = {}
        for line in done.stdout.splitlines():
            about, _, text = line.partition(": ")
            told.setdefault(about, []).append(text)
        return told, marks

    def expect_nothing_of_the_caller(self, is_root=False):
        told, marks = self.run_program()
        self.assertEqual(["1"], told["raised"], "does the file system know such rights?")
        self.assertEqual(b"", marks, f"{MARK}: {told}")
        for about in ("variable knows", "extra knows", "config reads"):
            self.assertNotIn(about, told)
        for about in ("variable", "extra", "url"):
            self.assertRegex(told[about][0], "^plugin ", told)
        self.assertRegex(told["config"][0],
                         "^io config: .*Permission denied$" if self.is_closed and not is_root
                         else "^ok $", told)
        self.assertRegex(told["secret"][0], "^config .*TRUST_SECRET", told)
        self.assertTrue(any("raised privileges" in line for line in told["log"]), told)
        self.assertNotIn(self.folder, str(told["log"]))

    def test_without_raised_rights_the_environment_counts(self):
        told, marks = self.run_program()
        self.assertEqual(["0"], told["raised"])
        self.assertEqual(b"x", marks, told)
        spy = [f"spy {self.plugins}/spy.so"]
        self.assertEqual(spy, told["variable knows"], told)
        self.assertEqual(spy, told["extra knows"], told)
        for about in ("variable", "extra", "config", "secret"):
            self.assertEqual(["ok "], told[about], told)
        self.assertIn("permission denied" if self.is_closed else "can do nothing",
                      told["url"][0])
        self.assertEqual([self.config], told["config reads"], "nothing of the home folder")

    def test_a_set_user_id_program(self):
        os.chown(self.program, OWNER.pw_uid, OWNER.pw_gid)
        os.chmod(self.program, 0o4755)
        self.expect_nothing_of_the_caller()

    def test_a_set_user_id_program_of_root(self):
        os.chmod(self.program, 0o4755)
        self.expect_nothing_of_the_caller(is_root=True)

    def test_a_set_group_id_program(self):
        os.chown(self.program, 0, OWNER.pw_gid)
        os.chmod(self.program, 0o2755)
        self.expect_nothing_of_the_caller()

    def test_a_program_with_file_capabilities(self):
        setcap = shutil.which("setcap", path="/usr/sbin:/sbin:/usr/bin:/bin")
        self.assertIsNotNone(setcap, "there is no setcap: packaging/install-deps test has it")
        subprocess.run([setcap, "cap_net_bind_service+ep", self.program], check=True)
        self.expect_nothing_of_the_caller()

    def test_relative_paths_are_refused_always(self):
        for mode in (0o755, 0o4755):
            os.chmod(self.program, mode)
            told, marks = self.run_program(".", path=".:./:../plugins:plugins")
            self.assertEqual(b"", marks, f"{MARK}: {told}")
            for about in ("relative extra", "relative folder", "relative manifest"):
                self.assertRegex(told[about][0], "^plugin ", told)
            self.assertEqual(2, len(told["file"]))
            for text in told["file"]:
                self.assertRegex(text, "^plugin .*not an absolute path", told)


if __name__ == "__main__":
    unittest.main()
