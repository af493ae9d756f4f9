//! INT 11h, 12h, 14h, 15h, 17h, 1Ah, and what POST leaves behind.

use super::*;

#[test]
fn memory_is_told_in_the_same_size_by_every_call() {
    let mut pc = Pc::new();
    // 32 MiB, the last 64 KiB of them ACPI's; the last KiB of base memory is the extended BIOS data area's.
    assert_eq!(pc.int(0x12, Regs::default()).eax, 639);
    let r = pc.int(0x15, Regs::ax(0x8800));
    assert_eq!((r.eax & 0xFFFF, r.carry), (31 * 1024 - 64, false));
    let r = pc.int(0x15, Regs::ax(0xE801));
    assert_eq!((r.word(), r.carry), ([0x3C00, 0xFF, 0x3C00, 0xFF], false));
    let mut entries = Vec::new();
    let mut ebx = 0;
    loop {
        let r = pc.int(
            0x15,
            Regs {
                eax: 0xE820,
                ebx,
                ecx: 20,
                edx: 0x534D_4150,
                es: BUFFER_SEGMENT,
                ..Regs::default()
            },
        );
        assert_eq!((r.eax, r.ecx, r.carry), (0x534D_4150, 20, false));
        assert_eq!(pc.peek_u32(BUFFER + 4) | pc.peek_u32(BUFFER + 12), 0);
        entries.push((
            pc.peek_u32(BUFFER),
            pc.peek_u32(BUFFER + 8),
            pc.peek_u32(BUFFER + 16),
        ));
        ebx = r.ebx;
        if ebx == 0 {
            break;
        }
    }
    assert_eq!(entries[0], (0, 639 << 10, 1));
    let usable: u32 = entries
        .iter()
        .filter(|e| e.2 == 1 && e.0 >= 1 << 20)
        .map(|e| e.1)
        .sum();
    let nvs: u32 = entries.iter().filter(|e| e.2 == 4).map(|e| e.1).sum();
    assert_eq!(usable + nvs, 31 << 20, "{entries:X?}");
    // In order, and none over another.
    assert!(
        entries.windows(2).all(|w| w[0].0 + (w[0].1 - 1) < w[1].0),
        "{entries:X?}"
    );
    assert_eq!(entries.last(), Some(&(0xFFFC_0000, 0x4_0000, 2)));
}

#[test]
fn int_15h_tells_its_tables_and_refuses_what_it_lacks() {
    let mut pc = Pc::new();
    let r = pc.int(0x15, Regs::ax(0xC000));
    let at = (u32::from(r.es) << 4) + (r.ebx & 0xFFFF);
    assert_eq!(
        (pc.peek_u16(at), pc.peek_u8(at + 2), r.ah(), r.carry),
        (8, 0xFC, 0, false)
    );
    let r = pc.int(0x15, Regs::ax(0xC100));
    assert_eq!((r.es, r.carry), (pc.peek_u16(0x40E), false));
    assert_eq!(pc.peek_u8(u32::from(r.es) << 4), 1, "KiB");
    // Hooks of multitasking systems do nothing; the keyboard intercept lets the key through.
    for ax in [0x8000, 0x8100, 0x8200, 0x8500, 0x9000, 0x9100] {
        let r = pc.int(0x15, Regs::ax(ax));
        assert_eq!((r.ah(), r.carry), (0, false), "{ax:04X}");
    }
    let r = pc.int(0x15, Regs::ax(0x4F1E));
    assert_eq!((r.eax, r.carry), (0x4F1E, true));
    // No game port, no cassette, no EISA.
    for ax in [0x0000, 0x8400, 0xD800, 0xE8FF] {
        let r = pc.int(0x15, Regs::ax(ax));
        assert_eq!((r.ah(), r.carry), (0x86, true), "{ax:04X}");
    }
}

/// Whether FFFF:0510 is another byte than 0000:0500.
fn a20_open(pc: &mut Pc) -> bool {
    // MOV AL,[0500]; NOT AL; MOV ES:[0510],AL; CMP AL,[0500]; SETNE AL
    let code = [
        0xA0, 0x00, 0x05, 0xF6, 0xD0, 0x26, 0xA2, 0x10, 0x05, 0x3A, 0x06, 0x00, 0x05, 0x0F, 0x95,
        0xC0,
    ];
    pc.code(&code, Regs::default().es(0xFFFF)).al() == 1
}

#[test]
fn the_a20_gate_opens_and_closes_by_every_way() {
    let mut pc = Pc::new();
    assert!(!a20_open(&mut pc), "closed at the start, as on an AT");
    for _ in 0..2 {
        for (ax, open) in [(0x2401, true), (0x2400, false)] {
            let r = pc.int(0x15, Regs::ax(ax));
            assert_eq!((r.ah(), r.carry), (0, false));
            assert_eq!(a20_open(&mut pc), open);
            let r = pc.int(0x15, Regs::ax(0x2402));
            assert_eq!((r.ah(), r.al(), r.carry), (0, open.into(), false));
        }
        for (value, open) in [(0x02, true), (0x00, false)] {
            pc.outb(0x92, value);
            assert_eq!(a20_open(&mut pc), open);
        }
        // The keyboard controller's output port.
        for (value, open) in [(0xDF, true), (0xDD, false)] {
            pc.outb(0x64, 0xD1);
            pc.pass_ms(1);
            pc.outb(0x60, value);
            pc.pass_ms(1);
            assert_eq!(a20_open(&mut pc), open);
            let r = pc.int(0x15, Regs::ax(0x2402));
            assert_eq!(r.al(), open.into());
        }
    }
    // 2400h closes what the keyboard controller has opened.
    pc.outb(0x64, 0xD1);
    pc.pass_ms(1);
    pc.outb(0x60, 0xDF);
    pc.pass_ms(1);
    pc.int(0x15, Regs::ax(0x2400));
    assert!(!a20_open(&mut pc));
    let r = pc.int(0x15, Regs::ax(0x2403));
    assert_eq!((r.ebx & 0xFFFF, r.carry), (3, false));
    let r = pc.int(0x15, Regs::ax(0x2404));
    assert_eq!((r.ah(), r.carry), (0x86, true));
}

#[test]
fn a_block_moves_between_any_two_places() {
    let mut pc = Pc::new();
    let mut gdt = [0; 48];
    let descriptor = |base: u32| -> [u8; 8] {
        let b = base.to_le_bytes();
        [0xFF, 0xFF, b[0], b[1], b[2], 0x93, 0, b[3]]
    };
    let source: Vec<u8> = (0..200u8).collect();
    pc.poke(0x3_0000, &source);
    for (from, to) in [(0x3_0000, 0x110_0000), (0x110_0000, 0x3_1000)] {
        gdt[16..24].copy_from_slice(&descriptor(from));
        gdt[24..32].copy_from_slice(&descriptor(to));
        pc.poke(BUFFER, &gdt);
        let r = pc.int(0x15, Regs::ax(0x8700).cx(100).es(BUFFER_SEGMENT));
        assert_eq!((r.ah(), r.carry, r.zero), (0, false, true));
        assert_eq!(pc.peek(to, 200), source);
    }
    assert!(!a20_open(&mut pc), "the gate is as it was");
    let r = pc.int(0x15, Regs::ax(0x8700).cx(0x8001).es(BUFFER_SEGMENT));
    assert_eq!((r.ah(), r.carry), (2, true));
}

#[test]
fn waits_last_as_long_as_they_should() {
    let mut pc = Pc::new();
    // 0186A0h microseconds: a tenth of a second; the clock chip counts in steps of 976.
    let before = pc.now();
    let r = pc.int(0x15, Regs::ax(0x8600).cx(0x0001).dx(0x86A0));
    let waited = pc.now().since(before);
    assert!(!r.carry);
    assert!((99_000_000..=103_000_000).contains(&waited), "{waited}");
    // Without blocking: bit 7 of the flag at ES:BX.
    pc.poke(BUFFER, &[0]);
    let wait = Regs::ax(0x8300).cx(0x0001).dx(0x86A0).es(BUFFER_SEGMENT);
    assert!(!pc.int(0x15, wait).carry);
    let r = pc.int(0x15, wait);
    assert_eq!((r.ah(), r.carry), (0x83, true), "one at a time");
    pc.pass_ms(90);
    assert_eq!(pc.peek_u8(BUFFER), 0);
    pc.pass_ms(15);
    assert_eq!(pc.peek_u8(BUFFER), 0x80);
    pc.poke(BUFFER, &[0]);
    assert!(!pc.int(0x15, wait).carry);
    assert!(!pc.int(0x15, Regs::ax(0x8301)).carry);
    pc.pass_ms(150);
    assert_eq!(pc.peek_u8(BUFFER), 0, "cancelled");
}

#[test]
fn the_clock_is_read_and_set() {
    let mut pc = Pc::new();
    // 1999-12-31 23:59:58.
    assert!(!pc.int(0x1A, Regs::ax(0x0300).cx(0x2359).dx(0x5800)).carry);
    assert!(!pc.int(0x1A, Regs::ax(0x0500).cx(0x1999).dx(0x1231)).carry);
    let r = pc.int(0x1A, Regs::ax(0x0200));
    assert_eq!((r.ecx & 0xFFFF, r.carry), (0x2359, false));
    let r = pc.int(0x1A, Regs::ax(0x0400));
    assert_eq!((r.ecx & 0xFFFF, r.edx & 0xFFFF), (0x1999, 0x1231));
    pc.pass_ms(3000);
    let r = pc.int(0x1A, Regs::ax(0x0400));
    assert_eq!(
        (r.ecx & 0xFFFF, r.edx & 0xFFFF, r.carry),
        (0x2000, 0x0101, false)
    );
    // An alarm three seconds on calls INT 4Ah: INC BYTE CS:[0700]; IRET.
    pc.poke(0x4A * 4, &[0x10, 0x07, 0x00, 0x00]);
    pc.poke(0x700, &[0]);
    pc.poke(0x710, &[0x2E, 0xFE, 0x06, 0x00, 0x07, 0xCF]);
    let r = pc.int(0x1A, Regs::ax(0x0200));
    let second = u16::from((r.edx >> 8) as u8 & 0x0F) + 3;
    let alarm = Regs::ax(0x0600).cx(r.ecx as u16).dx(second << 8);
    assert!(!pc.int(0x1A, alarm).carry);
    assert!(pc.int(0x1A, alarm).carry, "one is set already");
    let r = pc.int(0x1A, Regs::ax(0x0900));
    assert_eq!(r.edx & 0xFFFF, u32::from(second) << 8 | 1);
    pc.pass_ms(4000);
    assert_eq!(pc.peek_u8(0x700), 1);
    assert!(!pc.int(0x1A, Regs::ax(0x0700)).carry);
    assert_eq!(pc.int(0x1A, Regs::ax(0x0900)).edx & 0xFF, 0);
    assert!(pc.int(0x1A, Regs::ax(0x0800)).carry);
    assert!(pc.int(0x1A, Regs::ax(0x0C00)).carry);
}

#[test]
fn ticks_count_18_times_a_second_and_midnight_is_told_once() {
    let mut pc = Pc::new();
    assert!(!pc.int(0x1A, Regs::ax(0x0100).cx(0x0018).dx(0x00AE)).carry);
    let r = pc.int(0x1A, Regs::ax(0x0000));
    assert_eq!((r.ecx & 0xFFFF, r.edx & 0xFFFF, r.al()), (0x18, 0xAE, 0));
    pc.pass_ms(1000);
    let r = pc.int(0x1A, Regs::ax(0x0000));
    // 1.193182 MHz / 65536 = 18.2 Hz; 1800B0h ticks are a day.
    assert_eq!((r.ecx & 0xFFFF, r.al()), (0, 1));
    assert!((16..=17).contains(&(r.edx & 0xFFFF)), "{:X}", r.edx);
    assert_eq!(pc.int(0x1A, Regs::ax(0x0000)).al(), 0);
    // INT 1Ch is called with each.
    pc.poke(0x1C * 4, &[0x10, 0x07, 0x00, 0x00]);
    pc.poke(0x700, &[0]);
    pc.poke(0x710, &[0x2E, 0xFE, 0x06, 0x00, 0x07, 0xCF]);
    pc.pass_ms(1000);
    assert!((18..=19).contains(&pc.peek_u8(0x700)));
}

#[test]
fn equipment_counts_what_there_is() {
    let mut pc = Pc::new();
    let r = pc.int(0x11, Regs::default());
    // A diskette drive, coprocessor, mouse, 80 columns; four serial ports, one parallel port.
    assert_eq!(
        r.eax & 0xFFFF,
        0x0001 | 0x0002 | 0x0004 | 0x0020 | 4 << 9 | 1 << 14
    );
    assert_eq!(
        [0, 2, 4, 6].map(|n| pc.peek_u16(0x400 + n)),
        [0x3F8, 0x2F8, 0x3E8, 0x2E8]
    );
    assert_eq!([8, 10].map(|n| pc.peek_u16(0x400 + n)), [0x378, 0]);
}

#[test]
fn serial_ports_are_set_up_and_time_out_without_a_partner() {
    let mut pc = Pc::new();
    // 9600 bits a second, odd parity, 2 stop bits, 7 bits.
    let r = pc.int(0x14, Regs::ax(0x00EE).dx(1));
    assert_eq!(r.ah() & 0x60, 0x60, "transmitter empty");
    assert_eq!(r.al() & 0xB0, 0, "nobody there");
    assert_eq!(pc.inb(0x2FB), 0x0E, "line control");
    pc.outb(0x2FB, 0x8E);
    assert_eq!((pc.inb(0x2F8), pc.inb(0x2F9)), (12, 0), "divisor");
    pc.outb(0x2FB, 0x0E);
    let before = pc.now();
    let r = pc.int(0x14, Regs::ax(0x0141).dx(1));
    assert_eq!(r.ah() & 0x80, 0x80, "time-out");
    assert!(pc.now().since(before) > 500_000_000);
    assert_eq!(pc.int(0x14, Regs::ax(0x0200).dx(1)).ah() & 0x80, 0x80);
    // Extended: 19200 bits a second, even parity, 1 stop bit, 8 bits, no break.
    pc.int(0x14, Regs::ax(0x0400).bx(0x0200).cx(0x0308).dx(1));
    assert_eq!(pc.inb(0x2FB), 0x1B);
    pc.int(0x14, Regs::ax(0x0501).bx(0x0003).dx(1));
    let r = pc.int(0x14, Regs::ax(0x0500).dx(1));
    assert_eq!(r.ebx & 0xFF, 3, "modem control");
    // No fifth port: nothing changes.
    assert_eq!(pc.int(0x14, Regs::ax(0x0300).dx(4)).eax, 0x0300);
}

#[test]
fn a_printer_port_without_a_printer_says_so() {
    let mut pc = Pc::new();
    // Open lines: busy, no paper, as INT 17h turns them over: bit 7 not busy, 5 no paper, 3 error.
    let r = pc.int(0x17, Regs::ax(0x0200));
    assert_eq!(r.ah() & 0x80, 0);
    // Its patience in 40:78, about a second each.
    pc.poke(0x478, &[1]);
    let before = pc.now();
    let r = pc.int(0x17, Regs::ax(0x0041));
    assert_eq!(r.ah() & 0x01, 0x01, "time-out");
    assert!(pc.now().since(before) > 500_000_000);
    assert_eq!(
        pc.int(0x17, Regs::ax(0x0200).dx(2)).eax,
        0x0200,
        "no such port"
    );
    // Print screen fails with FFh at 0050:0000.
    pc.int(0x05, Regs::default());
    assert_eq!(pc.peek_u8(0x500), 0xFF);
}

/// The ACPI root pointer: where it stands.
fn acpi_root(pc: &Pc) -> Option<u32> {
    (0xF_0000..0x10_0000)
        .step_by(16)
        .find(|&at| pc.peek(at, 8) == *b"RSD PTR ")
}

#[test]
fn the_acpi_tables_are_loaded_to_the_end_of_memory() {
    let mut pc = Pc::new();
    let sums_up = |pc: &Pc, at, bytes| {
        let bytes = pc.peek(at, bytes);
        bytes.iter().fold(0u8, |sum, b| sum.wrapping_add(*b)) == 0
    };
    let root = acpi_root(&pc).unwrap();
    assert!(sums_up(&pc, root, 20) && sums_up(&pc, root, 36));
    // 32 MiB: the last 64 KiB are ACPI's.
    let tables = 0x1FF_0000..0x200_0000;
    for (root, width) in [
        (pc.peek_u32(root + 16), 4u32),
        (pc.peek_u32(root + 24), 8u32),
    ] {
        let bytes = pc.peek_u32(root + 4);
        assert!(tables.contains(&root) && sums_up(&pc, root, bytes as usize));
        let found: Vec<_> = (root + 36..root + bytes)
            .step_by(width as usize)
            .map(|at| {
                let table = pc.peek_u32(at);
                let bytes = pc.peek_u32(table + 4) as usize;
                assert!(tables.contains(&table) && sums_up(&pc, table, bytes));
                pc.peek(table, 4)
            })
            .collect();
        assert_eq!(found, [b"FACP", b"APIC"]);
    }
    let fadt = pc.peek_u32(pc.peek_u32(root + 16) + 36);
    let (facs, dsdt) = (pc.peek_u32(fadt + 36), pc.peek_u32(fadt + 40));
    assert_eq!(pc.peek(facs, 4), b"FACS");
    assert_eq!(pc.peek(dsdt, 4), b"DSDT");
    let bytes = pc.peek_u32(dsdt + 4) as usize;
    assert!(sums_up(&pc, dsdt, bytes));
    // The registers that the FADT names are there, in ACPI mode: PM1 control has SCI_EN.
    let control = pc.peek_u32(fadt + 64) as u16;
    assert_eq!(pc.inb(control) & 1, 1);
}
