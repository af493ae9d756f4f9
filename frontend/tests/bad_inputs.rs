//! The mistakes that people make: each ends with one clear sentence and the exit code for it, and never with a
//! panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const USAGE: i32 = 64;
const DATA: i32 = 65;

/// A folder with files to be mistaken about.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("directory")).unwrap();
        let files = Self(folder);
        for name in ["floppy.img", "second.img", "third.img"] {
            files.write(name, &vec![0; 1440 * 1024]);
        }
        files.write("truncated.img", &vec![0; 1440 * 1024 - 100]);
        files.write("empty.img", &[]);
        files.write("odd.img", &vec![7; 70_001]);
        files.write("disk.img", &vec![0; 4 << 20]);
        files.write(
            "disk.qcow2",
            &[b"QFI\xFB".as_slice(), &[0; 65_536]].concat(),
        );
        files.write("disk.vmdk", &[b"KDMV".as_slice(), &[0; 65_536]].concat());
        files.write("huge.rom", &vec![0; 17 << 20]);
        files.write("uneven.rom", &vec![0; 65_535]);
        files.write("empty.rom", &[]);
        files.write("no-signature.rom", &vec![0; 32_768]);
        let mut rom = vec![0; 128 << 10];
        rom[..2].copy_from_slice(&[0x55, 0xAA]);
        files.write("large-vga.rom", &rom);
        files.write("text.snap", b"this is no snapshot");
        files.write("empty.snap", &[]);
        files
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).unwrap();
    }

    fn boxwood(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_boxwood"))
            .args(args)
            .current_dir(&self.0)
            .env("RUST_BACKTRACE", "0")
            .env_remove("BOXWOOD_LOG")
            .output()
            .unwrap()
    }

    /// The mistake ends with this code and one sentence.
    fn refuses(&self, code: i32, args: &[&str]) {
        let out = self.boxwood(args);
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(code), "{args:?} said {said}");
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 1, "{args:?} said more than one line: {said}");
        assert!(lines[0].starts_with("boxwood: "), "{args:?} said {said}");
        assert!(lines[0].len() > 25, "{args:?} said too little: {said}");
        assert!(!said.contains("panicked"), "{args:?} panicked");
    }
}

const SHORT: [&str; 4] = ["--display", "none", "--timeout-insns", "1000"];

#[test]
fn mistakes_on_the_command_line_end_with_64() {
    let f = Files::new("usage");
    let cases = [
        "--no-such-option",
        "--mem 0",
        "--mem 512K",
        "--mem 1000G",
        "--mem -5",
        "--mem much",
        "--mem 18446744073709551615G",
        "--ips 0",
        "--ips fast",
        "--machine amiga",
        "--clock sundial",
        "--seed x",
        "--boot z",
        "--boot aa",
        "floppy.img second.img",
        "floppy.img --floppy second.img",
        "--floppy floppy.img --floppy second.img --floppy third.img",
        "--floppy floppy.img --floppy floppy.img",
        "--floppy floppy.img,backwards",
        "--serial pigeon",
        "--serial file=",
        "--serial none --serial none --serial none --serial none --serial none",
        "--type <nokey>",
        "--type \\q",
        "--wait soon",
        "--mouse 5",
        "--mouse left,right",
        "--mouse 1,2,x",
        "--mouse 1,2,l,r",
        "--timeout -1",
        "--timeout NaN",
        "--debug-exit=port",
        "--save-at 1000",
        "--save-at x=y.snap",
        "--trace t.txt,range=xyz",
        "--on-triple-fault pray",
    ];
    for case in cases {
        let words: Vec<&str> = case.split(' ').collect();
        f.refuses(USAGE, &[words.as_slice(), &SHORT].concat());
    }
    f.refuses(USAGE, &["--display", "hologram"]);
    f.refuses(USAGE, &["--timeout-insns", "many", "--display", "none"]);
    f.refuses(USAGE, &[&["--boot", ""], SHORT.as_slice()].concat());
    f.refuses(USAGE, &[&["--floppy", ""], SHORT.as_slice()].concat());
    // Standard output is no terminal here, and no display was named.
    f.refuses(USAGE, &["floppy.img"]);
    f.refuses(USAGE, &["--display", "terminal", "--serial", "stdio"]);
}

#[test]
fn files_that_cannot_be_used_end_with_65() {
    let f = Files::new("data");
    let cases = [
        "missing.img",
        "directory",
        "empty.img",
        "truncated.img",
        "odd.img",
        "disk.qcow2",
        "disk.vmdk",
        "--floppy missing.img",
        "--floppy disk.img",
        "--disk directory",
        "--disk empty.img",
        "--cdrom floppy.img",
        "--cpu z80",
        "--bios missing.rom",
        "--bios directory",
        "--bios huge.rom",
        "--bios uneven.rom",
        "--bios empty.rom",
        "--vgabios missing.rom",
        "--vgabios no-signature.rom",
        "--vgabios large-vga.rom",
        "--restore missing.snap",
        "--restore text.snap",
        "--restore empty.snap",
        "--restore directory",
        "--serial file=directory",
        "--trace directory",
        "--stats directory",
        "--screenshot no/such/folder.png",
        "--save-at 10=no/such/folder.snap",
    ];
    for case in cases {
        let words: Vec<&str> = case.split(' ').collect();
        f.refuses(DATA, &[words.as_slice(), &SHORT].concat());
    }
}

#[test]
fn a_snapshot_that_was_cut_short_or_is_of_another_machine_is_refused() {
    let f = Files::new("snapshots");
    let run = |more: &[&str]| {
        let small = ["floppy.img", "--display", "none", "--timeout-insns", "2000"];
        [more, &small]
            .concat()
            .iter()
            .map(|s| s.to_string())
            .collect::<Vec<_>>()
    };
    let boxwood = |more: &[&str]| {
        let args = run(more);
        f.boxwood(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refuses = |more: &[&str]| {
        let args = run(more);
        f.refuses(DATA, &args.iter().map(String::as_str).collect::<Vec<_>>());
    };
    let saved = boxwood(&["--mem", "1M", "--save-at", "1000=good.snap"]);
    assert_eq!(saved.status.code(), Some(0), "{saved:?}");
    let good = fs::read(f.0.join("good.snap")).unwrap();
    for n in [0, 1, 11, 12, 40, good.len() / 2, good.len() - 1] {
        f.write("cut.snap", &good[..n]);
        refuses(&["--mem", "1M", "--restore", "cut.snap"]);
    }
    for at in [20, good.len() / 3, good.len() - 30] {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        f.write("bad.snap", &bad);
        refuses(&["--mem", "1M", "--restore", "bad.snap"]);
    }
    refuses(&["--mem", "2M", "--restore", "good.snap"]);
    let goes_on = boxwood(&["--mem", "1M", "--restore", "good.snap"]);
    assert_eq!(goes_on.status.code(), Some(0), "{goes_on:?}");
}
