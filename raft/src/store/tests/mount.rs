//! A small file system of its own, on a loop device. Needs root.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Set it to anything to pass over the tests that need root, loop devices, `mkfs.ext4` and `python3`.
const SKIP: &str = "QUORATE_SKIP_ROOT_TESTS";

/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`: what has not reached the device is gone, the journal too.
const SHUTDOWN: &str = "import fcntl,os,struct,sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";

/// An ext4 file system in a file; unmounted when it goes out of scope.
pub(super) struct Disk {
    _dir: TempDir,
    image: PathBuf,
    path: PathBuf,
    is_mounted: bool,
}

impl Disk {
    /// A mounted one; `None` if tests that need root are to be skipped.
    pub(super) fn mounted(bytes: u64) -> Option<Self> {
        if std::env::var_os(SKIP).is_some() {
            eprintln!("skipped: {SKIP} is set");
            return None;
        }
        let dir = TempDir::new().unwrap();
        let image = dir.path().join("image");
        std::fs::File::create(&image)
            .unwrap()
            .set_len(bytes)
            .unwrap();
        run("mkfs.ext4", &["-q", "-F", "-m", "0", text(&image)]);
        let path = dir.path().join("mount");
        std::fs::create_dir(&path).unwrap();
        let mut disk = Self {
            _dir: dir,
            image,
            path,
            is_mounted: false,
        };
        disk.mount();
        Some(disk)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn mount(&mut self) {
        run(
            "mount",
            &["-o", "loop", text(&self.image), text(&self.path)],
        );
        self.is_mounted = true;
    }

    pub(super) fn unmount(&mut self) {
        run("umount", &[text(&self.path)]);
        self.is_mounted = false;
    }

    pub(super) fn cut_power(&self) {
        run("python3", &["-c", SHUTDOWN, text(&self.path)]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.path).status();
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output();
    let failure = match &output {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    panic!(
        "`{program} {}`: {failure}\nthis test needs root, loop devices, mkfs.ext4 and python3; set {SKIP}=1 where \
         they cannot be had",
        arguments.join(" ")
    );
}
