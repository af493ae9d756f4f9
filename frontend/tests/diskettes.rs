//! Small boot sectors under our own BIOS: INT 13h reads the last sector of a diskette of every format, and exceptions
//! that no program handles are named.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Boots a diskette image until this text stands on the screen.
fn boots(name: &str, image: &[u8], text: &str) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, image).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_boxwood"))
        .args(["run", "--display", "none", "--timeout-insns", "1G"])
        .args(["--floppy".into(), format!("{},readonly", path.display())])
        .args(["--expect-screen", text])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{name}: {said}");
    let _ = fs::remove_file(&path);
}

/// A boot sector that begins with this code.
fn boot_sector(code: &[u8]) -> Vec<u8> {
    let mut sector = vec![0; 512];
    sector[..code.len()].copy_from_slice(code);
    sector[510..].copy_from_slice(&[0x55, 0xAA]);
    sector
}

#[test]
fn int_13h_reads_the_last_sector_of_every_format() {
    for (cylinders, heads, sectors) in [
        (40, 1, 8),
        (40, 1, 9),
        (40, 2, 8),
        (40, 2, 9),
        (80, 2, 9),
        (80, 2, 15),
        (80, 2, 18),
        (80, 2, 21),
        (82, 2, 21),
        (80, 2, 36),
    ] {
        let bytes = usize::from(cylinders) * usize::from(heads) * usize::from(sectors) * 512;
        let code = [
            // XOR AX, AX; DS, ES, SS := AX; MOV SP, 7C00h; MOV AX, 0201h; MOV BX, 7E00h.
            &[
                0x31, 0xC0, 0x8E, 0xD8, 0x8E, 0xC0, 0x8E, 0xD0, 0xBC, 0x00, 0x7C,
            ][..],
            &[0xB8, 0x01, 0x02, 0xBB, 0x00, 0x7E],
            // MOV CX, the last cylinder and sector; MOV DX, the last head; INT 13h; JC to the end.
            &[0xB9, sectors, cylinders - 1, 0xBA, 0x00, heads - 1],
            &[0xCD, 0x13, 0x72, 0x11],
            // MOV SI, 7E00h; each character to INT 10h AH=0Eh.
            &[0xBE, 0x00, 0x7E, 0xAC, 0x08, 0xC0, 0x74, 0x0E],
            &[0xB4, 0x0E, 0xBB, 0x07, 0x00, 0xCD, 0x10, 0xEB, 0xF2],
            // A "!"; CLI; HLT; JMP to it.
            &[0xB8, 0x21, 0x0E, 0xCD, 0x10, 0xFA, 0xF4, 0xEB, 0xFC],
        ]
        .concat();
        let mut image = boot_sector(&code);
        image.resize(bytes, 0);
        let text = format!("the last of {} KiB", bytes / 1024);
        image[bytes - 512..][..text.len()].copy_from_slice(text.as_bytes());
        boots(&format!("{}k.img", bytes / 1024), &image, &text);
    }
}

#[test]
fn an_exception_that_nobody_handles_is_named() {
    for (name, code, text) in [
        // XOR CX, CX; DIV CX.
        (
            "divide",
            &[0x31, 0xC9, 0xF7, 0xF1][..],
            "exception 00 (divide error) at 0000:7c02, code f7 f1",
        ),
        // INT 06h is no exception; UD2 behind it is one.
        (
            "opcode",
            &[0xCD, 0x06, 0x90, 0x0F, 0x0B],
            "exception 06 (invalid opcode) at 0000:7c03, code 0f 0b",
        ),
        // MOV AX, [FFFFh]: a word beyond the segment's end.
        (
            "protection",
            &[0xA1, 0xFF, 0xFF],
            "exception 0d (general protection) at 0000:7c00, code a1 ff ff",
        ),
    ] {
        let mut image = boot_sector(code);
        image.resize(1440 * 1024, 0);
        boots(&format!("{name}.img"), &image, text);
    }
}
