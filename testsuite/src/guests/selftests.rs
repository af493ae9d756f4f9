//! The kernel's own tests of x86 processors, tools/testing/selftests/x86, built from Debian's linux-source and run by
//! an /init of ours in an initial RAM disk.

use super::initramfs::Archive;
use super::package::{PackageFile, cache_folder};
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// Which of the tests.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Programs {
    /// Those of 32 bits, for a kernel of 32 bits.
    Of32Bits,
    /// All, for a kernel of 64 bits.
    All,
}

/// The tests' sources.
const SOURCE: PackageFile = PackageFile {
    package: "linux-source-6.1",
    path: "/usr/src/linux-source-6.1.tar.xz",
};

const fn libc(package: &'static str, path: &'static str) -> PackageFile {
    PackageFile { package, path }
}

/// What programs of 32 and of 64 bits are linked to.
const LIBRARIES_32: [PackageFile; 4] = [
    libc("libc6-i386", "/lib/ld-linux.so.2"),
    libc("libc6-i386", "/lib32/libc.so.6"),
    libc("libc6-i386", "/lib32/libm.so.6"),
    libc("lib32gcc-s1", "/lib32/libgcc_s.so.1"),
];
const LIBRARIES_64: [PackageFile; 3] = [
    libc("libc6", "/lib64/ld-linux-x86-64.so.2"),
    libc("libc6", "/lib/x86_64-linux-gnu/libc.so.6"),
    libc("libc6", "/lib/x86_64-linux-gnu/libm.so.6"),
];

/// Tests that are left out: the first needs AMX, which no model has; the second takes minutes of guest time.
const LEFT_OUT: [&str; 2] = ["amx_64", "syscall_numbering_64"];
/// What /init sends when every test ends with 0.
pub const SENDS: [&str; 1] = ["selftests: all passed"];

/// The program that is /init.
const INIT: &str = include_str!("selftests_init.c");
/// Of the sources, what the tests are built from.
const UNPACKED: [&str; 5] = [
    "linux-source-6.1/arch/x86/include",
    "linux-source-6.1/tools/testing/selftests/x86",
    "linux-source-6.1/tools/testing/selftests/lib.mk",
    "linux-source-6.1/tools/testing/selftests/kselftest.h",
    "linux-source-6.1/scripts",
];
const TESTS: &str = "linux-source-6.1/tools/testing/selftests/x86";

/// Rows that run at the same time build once.
static BUILDING: Mutex<()> = Mutex::new(());

/// The files of packages that the RAM disks are made from.
pub fn files() -> Vec<PackageFile> {
    [&[SOURCE], &LIBRARIES_32[..], &LIBRARIES_64].concat()
}

/// The RAM disk.
pub fn make(programs: Programs) -> Result<Vec<u8>> {
    let folder = build()?;
    let mut archive = Archive::default();
    for name in ["proc", "sys", "dev", "tmp"] {
        archive.folder(name);
    }
    archive.packaged(&LIBRARIES_32)?;
    if programs == Programs::All {
        archive.packaged(&LIBRARIES_64)?;
    }
    archive.file("init", &std::fs::read(folder.join("init"))?);
    let mut tests = 0;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join(TESTS))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    for file in files {
        let name = file.file_name().and_then(|n| n.to_str());
        let name = name.context("a test's name is no text")?;
        let wanted = name.ends_with("_32") || programs == Programs::All && name.ends_with("_64");
        if wanted && !LEFT_OUT.contains(&name) {
            archive.file(&format!("tests/{name}"), &std::fs::read(&file)?);
            tests += 1;
        }
    }
    ensure!(tests > 0, "no selftests in {}", folder.display());
    Ok(archive.finish())
}

/// Builds the tests and /init, if that was not done before; gives the folder that they are in.
fn build() -> Result<PathBuf> {
    let _one = BUILDING.lock().unwrap_or_else(|e| e.into_inner());
    let folder = cache_folder().join("selftests");
    if folder.join("init").exists() {
        return Ok(folder);
    }
    // What a build that failed has left is not built upon.
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let source = SOURCE.find()?;
    run(Command::new("tar")
        .arg("-xf")
        .arg(source)
        .args(UNPACKED)
        .current_dir(&folder))?;
    let tests = folder.join(TESTS);
    run(Command::new("make").arg("-C").arg(&tests))?;
    for needed in ["entry_from_vm86_32", "fsgsbase_64"] {
        if !tests.join(needed).exists() {
            bail!("{needed} was not built: apt-get install make gcc-multilib");
        }
    }
    let init = folder.join("init.c");
    std::fs::write(&init, INIT)?;
    run(Command::new("cc")
        .args(["-m32", "-static", "-O1", "-o"])
        .args([&partial(&folder), &init]))?;
    // Its presence says that all is there.
    std::fs::rename(partial(&folder), folder.join("init"))?;
    Ok(folder)
}

fn partial(folder: &Path) -> PathBuf {
    folder.join("init.partial")
}

/// Runs a program; what it says is shown if it fails.
fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_owned();
    let out = command.output().with_context(|| {
        format!(
            "{} cannot be run: apt-get install make gcc-multilib xz-utils",
            name.display()
        )
    })?;
    if !out.status.success() {
        bail!(
            "{}: {}\n{}",
            name.display(),
            out.status,
            String::from_utf8_lossy(&out.stderr)
        );
    }
    Ok(())
}
