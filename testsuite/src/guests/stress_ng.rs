//! stress-ng in an initial RAM disk: its checks of what processors compute.

use super::initramfs::Archive;
use super::linux::BUSYBOX;
use super::package::PackageFile;
use anyhow::Result;

const fn file(package: &'static str, path: &'static str) -> PackageFile {
    PackageFile { package, path }
}

/// The program, and the libraries that it is linked to, theirs too.
pub const FILES: [PackageFile; 27] = [
    file("stress-ng", "/usr/bin/stress-ng"),
    file("libc6", "/lib64/ld-linux-x86-64.so.2"),
    file("libc6", "/lib/x86_64-linux-gnu/libc.so.6"),
    file("libc6", "/lib/x86_64-linux-gnu/libm.so.6"),
    file("libc6", "/lib/x86_64-linux-gnu/libpthread.so.0"),
    file("libapparmor1", "/lib/x86_64-linux-gnu/libapparmor.so.1"),
    file("libbsd0", "/lib/x86_64-linux-gnu/libbsd.so.0"),
    file("libcrypt1", "/lib/x86_64-linux-gnu/libcrypt.so.1"),
    file("libdrm2", "/lib/x86_64-linux-gnu/libdrm.so.2"),
    file("libegl1", "/lib/x86_64-linux-gnu/libEGL.so.1"),
    file("libexpat1", "/lib/x86_64-linux-gnu/libexpat.so.1"),
    file("libffi8", "/lib/x86_64-linux-gnu/libffi.so.8"),
    file("libgbm1", "/lib/x86_64-linux-gnu/libgbm.so.1"),
    file("libgles2", "/lib/x86_64-linux-gnu/libGLESv2.so.2"),
    file("libglvnd0", "/lib/x86_64-linux-gnu/libGLdispatch.so.0"),
    file("libipsec-mb1", "/lib/x86_64-linux-gnu/libIPSec_MB.so.1"),
    file("libjpeg62-turbo", "/lib/x86_64-linux-gnu/libjpeg.so.62"),
    file("libjudydebian1", "/lib/x86_64-linux-gnu/libJudy.so.1"),
    file("libkmod2", "/lib/x86_64-linux-gnu/libkmod.so.2"),
    file("liblzma5", "/lib/x86_64-linux-gnu/liblzma.so.5"),
    file("libmd0", "/lib/x86_64-linux-gnu/libmd.so.0"),
    file("libsctp1", "/lib/x86_64-linux-gnu/libsctp.so.1"),
    file("libssl3", "/lib/x86_64-linux-gnu/libcrypto.so.3"),
    file(
        "libwayland-server0",
        "/lib/x86_64-linux-gnu/libwayland-server.so.0",
    ),
    file("libxxhash0", "/lib/x86_64-linux-gnu/libxxhash.so.0"),
    file("libzstd1", "/lib/x86_64-linux-gnu/libzstd.so.1"),
    file("zlib1g", "/lib/x86_64-linux-gnu/libz.so.1"),
];

/// /init. Each line that stress-ng ends well is one of [`SENDS`].
const SCRIPT: &str = "\
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
cd /tmp
exec </dev/ttyS0 >/dev/ttyS0 2>&1
run() { stress-ng --verify \"$@\" && echo \"passed $1\" || echo \"FAILED $1\"; }
run --cpu 1 --cpu-method all --cpu-ops 79
run --fp 1 --fp-method all --fp-ops 20
run --vecmath 1 --vecmath-ops 4
run --matrix 1 --matrix-method all --matrix-ops 20
run --vecfp 1 --vecfp-ops 2
run --vecwide 1 --vecwide-ops 2
run --hash 1 --hash-ops 2
run --crypt 1 --crypt-ops 2
run --x86syscall 1 --x86syscall-ops 100
sleep 1
poweroff -f
";
/// What it sends when nothing fails.
pub const SENDS: [&str; 9] = [
    "passed --cpu",
    "passed --fp",
    "passed --vecmath",
    "passed --matrix",
    "passed --vecfp",
    "passed --vecwide",
    "passed --hash",
    "passed --crypt",
    "passed --x86syscall",
];

/// The RAM disk.
pub fn make() -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    for folder in ["proc", "sys", "dev", "tmp"] {
        archive.folder(folder);
    }
    archive.packaged(&[BUSYBOX])?;
    archive.packaged(&FILES)?;
    archive.file("init", SCRIPT.as_bytes());
    Ok(archive.finish())
}
