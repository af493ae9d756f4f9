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
        "--cpu z80",
        "--cpu p6,+nosuch",
        "--cpu p6,avx",
        "--cpu p6,+avx",
        "--cpu haswell,+rtm",
        "--cpu 80386,+cmov",
        "--cpu 80186",
        "--cpu 8088",
        "--cpu p6 --cpu 8086",
        "--cpu 8086",
        "--cpu 80286+80287",
        "--mem 1M --mem 2M",
        "--seed 99999999999999999999",
        "--wait 99999999999999999999",
        "--floppy floppy.img --floppy ./floppy.img",
        "--floppy floppy.img --floppy directory/../floppy.img",
    ];
    for case in cases {
        let words: Vec<&str> = case.split(' ').collect();
        f.refuses(USAGE, &[words.as_slice(), &SHORT].concat());
    }
    f.refuses(USAGE, &["--display", "hologram"]);
    f.refuses(USAGE, &["--timeout-insns", "many", "--display", "none"]);
    f.refuses(USAGE, &[&["--boot", ""], SHORT.as_slice()].concat());
    for option in [
        "--floppy",
        "--disk",
        "--cdrom",
        "--bios",
        "--vgabios",
        "--restore",
        "--stats",
        "--trace",
        "--expect-screen",
        "--expect-serial",
    ] {
        f.refuses(USAGE, &[&[option, ""], SHORT.as_slice()].concat());
    }
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
        "floppy.img/part",
        "/dev/null",
        "/dev/zero",
        "/proc/self/mem",
        "--disk /dev/null",
        "--disk /proc/self/mem",
        "--bios /dev/zero",
        "--bios floppy.img/part",
        "--vgabios /dev/null",
        "--restore /dev/zero",
        "--restore floppy.img/part",
        "--serial file=no/such/folder.txt",
        "--debugcon file=directory",
        "--trace /dev/full",
        "--stats /dev/full",
        "--screenshot /dev/full",
        "--save-at 10=/dev/full",
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

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_where_it_would_be_waited_for() {
    let f = Files::new("pipes");
    let made = Command::new("mkfifo").arg(f.0.join("pipe")).status();
    assert!(made.unwrap().success());
    for option in [
        "--floppy",
        "--disk",
        "--cdrom",
        "--bios",
        "--vgabios",
        "--restore",
    ] {
        f.refuses(DATA, &[&[option, "pipe"], SHORT.as_slice()].concat());
    }
}

#[cfg(unix)]
#[test]
fn arguments_that_are_no_text_are_refused_and_long_ones_too() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let f = Files::new("odd-arguments");
    let out = Command::new(env!("CARGO_BIN_EXE_boxwood"))
        .arg(OsStr::from_bytes(b"caf\xE9.img"))
        .args(SHORT)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(USAGE), "{said}");
    assert!(said.contains("not in UTF-8"), "{said}");
    let long = "a".repeat(100_000);
    f.refuses(DATA, &[&[long.as_str()], SHORT.as_slice()].concat());
    f.refuses(
        USAGE,
        &[&["--boot", long.as_str()], SHORT.as_slice()].concat(),
    );
}

#[test]
fn a_second_image_and_a_negative_number_get_their_own_words() {
    let f = Files::new("words");
    let said = |args: &[&str]| {
        let out = f.boxwood(&[args, &SHORT].concat());
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    assert!(said(&["floppy.img", "second.img"]).contains("one image is named for booting already"));
    assert!(said(&["--mem", "-5"]).contains("a size is a number"));
    assert!(said(&["--seed", "-1"]).contains("a seed is a number"));
    assert!(
        said(&["--flopy", "a.img"]).contains("--floppy"),
        "the nearest option is named"
    );
}

#[test]
fn an_image_larger_than_the_host_can_hold_costs_nothing() {
    let f = Files::new("sparse");
    let file = fs::File::create(f.0.join("sparse.img")).unwrap();
    if file.set_len(3 << 40).is_ok() {
        let out = f.boxwood(&[&["sparse.img"], SHORT.as_slice()].concat());
        assert_eq!(out.status.code(), Some(0), "{out:?}");
    }
}
