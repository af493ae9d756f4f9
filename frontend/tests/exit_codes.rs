//! How a run ends: every exit code, signals, and writes that the host refuses. The guests are ROMs of a few bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const BOXWOOD: &str = env!("CARGO_BIN_EXE_boxwood");

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A 64 KiB BIOS whose reset vector jumps to `code`.
    fn rom(&self, code: &[u8]) {
        let mut rom = vec![0xF4; 64 << 10];
        rom[0xE000..0xE000 + code.len()].copy_from_slice(code);
        // jmp 0F000h:0E000h
        rom[0xFFF0..0xFFF5].copy_from_slice(&[0xEA, 0x00, 0xE0, 0x00, 0xF0]);
        fs::write(self.path("guest.rom"), rom).unwrap();
    }

    fn command(&self, more: &str) -> Command {
        let mut command = Command::new(BOXWOOD);
        command
            .args(["--bios", "guest.rom", "--mem", "1M", "--display", "none"])
            .args(more.split_whitespace())
            .current_dir(&self.0)
            .env_remove("BOXWOOD_LOG")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, more: &str) -> Output {
        self.command(more).output().unwrap()
    }

    fn ends_with(&self, code: i32, more: &str) -> String {
        let out = self.run(more);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(code), "{more}: {said}");
        assert!(!said.contains("panicked"), "{more}: {said}");
        said
    }
}

/// mov dx, port; then mov al, byte; out dx, al for each byte.
fn out_bytes(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut code = vec![0xBA, port as u8, (port >> 8) as u8];
    for &byte in bytes {
        code.extend([0xB0, byte, 0xEE]);
    }
    code
}

/// Sends over COM1 at its fastest, each byte once the transmitter is empty.
fn send(bytes: &[u8]) -> Vec<u8> {
    let mut code = out_bytes(0x3FB, &[0x83]);
    code.extend(out_bytes(0x3F8, &[1]));
    code.extend(out_bytes(0x3F9, &[0]));
    code.extend(out_bytes(0x3FB, &[0x03]));
    for &byte in bytes {
        // mov dx, 3FDh; wait: in al, dx; test al, 20h; jz wait
        code.extend([0xBA, 0xFD, 0x03, 0xEC, 0xA8, 0x20, 0x74, 0xFB]);
        code.extend(out_bytes(0x3F8, &[byte]));
    }
    // wait until the last one has left: test al, 40h
    code.extend([0xBA, 0xFD, 0x03, 0xEC, 0xA8, 0x40, 0x74, 0xFB]);
    code
}

const FOR_EVER: [u8; 2] = [0xEB, 0xFE];

#[test]
fn a_limit_ends_with_0_and_with_124_if_something_was_expected() {
    let f = Folder::new("limit");
    f.rom(&FOR_EVER);
    f.ends_with(0, "--timeout-insns 5000");
    let said = f.ends_with(124, "--timeout-insns 5000 --expect-serial ready");
    assert!(said.contains("--expect-serial \"ready\""), "{said}");
}

#[test]
fn power_off_ends_with_0_and_with_125_if_something_was_expected() {
    let f = Folder::new("power-off");
    let mut code = out_bytes(0x8900, b"Shutdown");
    code.extend(FOR_EVER);
    f.rom(&code);
    f.ends_with(0, "");
    f.ends_with(125, "--expect-serial ready");
}

#[test]
fn steps_that_are_met_end_with_0() {
    let f = Folder::new("steps");
    let mut code = send(b"ready");
    code.extend(FOR_EVER);
    f.rom(&code);
    f.ends_with(0, "--expect-serial ready --timeout-insns 10000000");
}

#[test]
fn what_is_sent_just_before_the_end_is_met() {
    let f = Folder::new("last-words");
    let sent = send(b"ready");
    f.rom(&[&sent[..], &out_bytes(0x8900, b"Shutdown"), &FOR_EVER].concat());
    f.ends_with(0, "--expect-serial ready");
    // cli; hlt
    f.rom(&[&sent[..], &[0xFA, 0xF4]].concat());
    f.ends_with(0, "--expect-serial ready");
    f.ends_with(123, "--expect-serial never");
}

#[test]
fn a_cpu_that_nothing_can_wake_ends_with_123() {
    let f = Folder::new("halted");
    // cli; hlt
    f.rom(&[0xFA, 0xF4]);
    f.ends_with(123, "");
}

#[test]
fn a_triple_fault_ends_with_126_if_asked_for() {
    let f = Folder::new("triple-fault");
    // lidt [500h], where zeros stand; int3
    f.rom(&[0x0F, 0x01, 0x1E, 0x00, 0x05, 0xCC]);
    f.ends_with(126, "--on-triple-fault exit");
    f.ends_with(0, "--on-triple-fault reset --timeout-insns 5000");
}

#[test]
fn the_debug_exit_port_gives_the_code() {
    let f = Folder::new("debug-exit");
    f.rom(&out_bytes(0xF4, &[0x21]));
    f.ends_with(0x43, "--debug-exit");
    f.ends_with(0x43, "--debug-exit --expect-serial never");
    f.rom(&out_bytes(0x501, &[0]));
    f.ends_with(1, "--debug-exit=501h");
}

#[test]
fn what_the_guest_sends_to_a_full_disk_is_missed() {
    let f = Folder::new("full");
    let mut code = send(b"lost\n");
    code.extend(out_bytes(0xE9, b"lost\n"));
    code.extend(FOR_EVER);
    f.rom(&code);
    for option in ["--serial", "--debugcon"] {
        let said = f.ends_with(
            65,
            &format!("{option} file=/dev/full --timeout-insns 500000"),
        );
        assert!(said.contains("/dev/full cannot be written"), "{said}");
    }
}

/// A reader that closes its end early, as `head` does, is no mistake.
#[test]
fn a_closed_pipe_does_not_end_the_run() {
    let f = Folder::new("pipe");
    let mut code = send(&[b'x'; 64]);
    code.extend(out_bytes(0x8900, b"Shutdown"));
    f.rom(&code);
    let mut child = f
        .command("--serial stdio")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Waits until a file holds something; a guest needs a moment to write it.
fn wait_for(path: &Path, child: &mut Child) {
    for _ in 0..6000 {
        if fs::metadata(path).is_ok_and(|m| m.len() > 0) {
            return;
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    panic!("{} stays empty", path.display());
}

fn runs_and_prints(f: &Folder, more: &str) -> Child {
    let mut code = send(b"begun\nand on");
    code.extend(FOR_EVER);
    f.rom(&code);
    let more = format!("--serial file=com1.txt {more}");
    let mut child = f.command(&more).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&f.path("com1.txt"), &mut child);
    child
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_run_in_order() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let f = Folder::new(&format!("signal{signal}"));
        let child = runs_and_prints(&f, "--stats stats.json --trace trace.txt,range=0-0");
        let id = child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill {signal} {id}")])
            .status()
            .unwrap();
        assert!(sent.success());
        let out = child.wait_with_output().unwrap();
        assert_eq!(out.status.code(), Some(code), "{signal}: {out:?}");
        let sent = fs::read(f.path("com1.txt")).unwrap();
        assert!(b"begun\nand on".starts_with(&sent) && sent.starts_with(b"begun\n"));
        let stats = fs::read_to_string(f.path("stats.json")).unwrap();
        assert!(stats.contains("state_hash"), "{stats}");
    }
}

#[test]
fn an_image_is_not_given_to_two_machines() {
    let f = Folder::new("two-machines");
    fs::write(f.path("disk.img"), vec![0; 4 << 20]).unwrap();
    let mut first = runs_and_prints(&f, "--disk disk.img");
    for second in ["--disk disk.img", "--disk disk.img,readonly", "disk.img"] {
        let said = f.ends_with(65, &format!("{second} --timeout-insns 1000"));
        assert!(said.contains("in use by another machine"), "{said}");
    }
    first.kill().unwrap();
    first.wait().unwrap();
    f.ends_with(0, "--disk disk.img --timeout-insns 1000");
}

/// mov eax, value; mov dx, port; out dx, eax
fn out_dword(port: u16, value: u32) -> Vec<u8> {
    let mut code = vec![0x66, 0xB8];
    code.extend(value.to_le_bytes());
    code.extend([0xBA, port as u8, (port >> 8) as u8, 0x66, 0xEF]);
    code
}

/// Lets the IDE function (00:01.1) answer at its ports, as firmware does: I/O space, and both channels' IDETIM.
fn enable_ide() -> Vec<u8> {
    let mut code = Vec::new();
    for (register, value) in [(0x04, 0x0000_0005), (0x40, 0x8000_8000)] {
        code.extend(out_dword(0xCF8, 0x8000_0900 | register));
        code.extend(out_dword(0xCFC, value));
    }
    // The drive ignores commands until its diagnostics are done.
    // mov dx, 1F7h; wait: in al, dx; test al, 40h; jz wait
    code.extend([0xBA, 0xF7, 0x01, 0xEC, 0xA8, 0x40, 0x74, 0xFB]);
    code
}

/// WRITE SECTORS of one sector at an LBA, by PIO; ends with the status register's ERR and DF on the debug-exit port.
fn write_sector(lba: u32) -> Vec<u8> {
    let [low, mid, high, top] = lba.to_le_bytes();
    let mut code = enable_ide();
    for (port, value) in [
        (0x1F6, 0xE0 | top),
        (0x1F2, 1),
        (0x1F3, low),
        (0x1F4, mid),
        (0x1F5, high),
        (0x1F7, 0x30),
    ] {
        code.extend(out_bytes(port, &[value]));
    }
    // wait: in al, dx; test al, 8; jz wait
    code.extend([0xEC, 0xA8, 0x08, 0x74, 0xFB]);
    // mov dx, 1F0h; mov cx, 256; next: out dx, ax; loop next
    code.extend([0xBA, 0xF0, 0x01, 0xB9, 0x00, 0x01, 0xEF, 0xE2, 0xFD]);
    // mov dx, 1F7h; wait: in al, dx; test al, 80h; jnz wait; and al, 21h; out 0F4h, al
    code.extend([
        0xBA, 0xF7, 0x01, 0xEC, 0xA8, 0x80, 0x75, 0xFB, 0x24, 0x21, 0xE6, 0xF4,
    ]);
    code
}

/// The exit code of (value << 1) | 1.
const NO_ERROR: i32 = 1;
const ERR_AND_DF: i32 = 0x43;

#[cfg(unix)]
#[test]
fn a_write_that_the_host_refuses_is_an_error_to_the_guest_and_a_word_to_the_user() {
    let f = Folder::new("refused-write");
    fs::write(f.path("disk.img"), vec![0; 4 << 20]).unwrap();
    f.rom(&write_sector(4000));
    f.ends_with(NO_ERROR, "--disk disk.img --debug-exit");
    // No file may grow past, or be written behind, 512 KiB: as on a full disk.
    let out = Command::new("sh")
        .args(["-c", "ulimit -f 512 && exec \"$0\" \"$@\"", BOXWOOD])
        .args(f.command("--disk disk.img --debug-exit").get_args())
        .current_dir(&f.0)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(ERR_AND_DF), "{said}");
    assert!(
        said.contains("disk.img: sector 4000 cannot be written"),
        "{said}"
    );
}

#[test]
fn an_image_that_becomes_shorter_is_an_error_to_the_guest() {
    let f = Folder::new("shrinking");
    fs::write(f.path("disk.img"), vec![0; 4 << 20]).unwrap();
    // READ SECTORS of LBA 4000 again and again until one fails.
    let mut code = send(b"begun\n");
    code.extend(enable_ide());
    let start = code.len();
    for (port, value) in [
        (0x1F6, 0xE0),
        (0x1F2, 1),
        (0x1F3, 0xA0),
        (0x1F4, 0x0F),
        (0x1F5, 0),
    ] {
        code.extend(out_bytes(port, &[value]));
    }
    code.extend(out_bytes(0x1F7, &[0x20]));
    // wait: in al, dx; test al, 80h; jnz wait; test al, 1; jz behind the exit; out 0F4h, al
    code.extend([
        0xEC, 0xA8, 0x80, 0x75, 0xFB, 0xA8, 0x01, 0x74, 0x02, 0xE6, 0xF4,
    ]);
    let back = start as i32 - (code.len() as i32 + 2);
    code.extend([0xEB, back as i8 as u8]);
    f.rom(&code);
    let more = "--serial file=com1.txt --disk disk.img --debug-exit";
    let mut child = f.command(more).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&f.path("com1.txt"), &mut child);
    let image = fs::File::options()
        .write(true)
        .open(f.path("disk.img"))
        .unwrap();
    image.set_len(1 << 20).unwrap();
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.code().is_some_and(|c| c & 3 == 3),
        "{:?} {said}",
        out.status
    );
    assert!(said.contains("has become shorter"), "{said}");
}
