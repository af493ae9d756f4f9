use super::*;

fn space() -> ConfigSpace {
    ConfigSpace::new(0x8086, 0x7010)
        .class(0x01, 0x01, 0x80)
        .command(Command::IO_SPACE | Command::MEMORY_SPACE | Command::BUS_MASTER)
        .status(Status::DEVSEL_MEDIUM | Status::FAST_BACK_TO_BACK)
        .bar(
            0,
            Bar::Memory {
                bytes: 0x1000,
                prefetchable: false,
            },
        )
        .bar(
            2,
            Bar::Memory64 {
                bytes: 1 << 33,
                prefetchable: true,
            },
        )
        .bar(4, Bar::Io { bytes: 16 })
        .rom(0x1_0000)
        .interrupt_pin(1)
}

fn write(s: &ConfigSpace, r: &mut ConfigRegisters, offset: u8, width: Width, value: u32) -> bool {
    s.write(r, offset, width, value)
}

#[test]
fn identity_and_class_are_read_only() {
    let s = space();
    let mut r = s.reset_values();
    for offset in [0x00, 0x08] {
        let before = s.read(&r, offset, Width::Dword);
        write(&s, &mut r, offset, Width::Dword, !before);
        assert_eq!(s.read(&r, offset, Width::Dword), before);
    }
    assert_eq!(s.read(&r, 0x00, Width::Dword), 0x7010_8086);
    assert_eq!(s.read(&r, 0x0A, Width::Word), 0x0101);
    assert_eq!(s.read(&r, 0x09, Width::Byte), 0x80);
}

#[test]
fn writing_all_ones_to_a_base_address_register_tells_size_and_kind() {
    let s = space();
    let mut r = s.reset_values();
    for (offset, expected) in [
        (0x10, 0xFFFF_F000),
        (0x14, 0),
        (0x18, 0x0000_000C),
        (0x1C, 0xFFFF_FFFE),
        (0x20, 0xFFFF_FFF1),
        (0x24, 0),
        (0x30, 0xFFFF_0001),
    ] {
        write(&s, &mut r, offset, Width::Dword, u32::MAX);
        assert_eq!(s.read(&r, offset, Width::Dword), expected, "{offset:02X}h");
    }
}

#[test]
fn status_errors_are_cleared_by_writing_one_and_the_rest_of_status_is_fixed() {
    let s = space();
    let mut r = s.reset_values();
    r.raise_status(Status::RECEIVED_MASTER_ABORT | Status::DETECTED_PARITY_ERROR);
    write(&s, &mut r, 0x06, Width::Word, 0);
    assert_eq!(s.read(&r, 0x06, Width::Word), 0xA280);
    write(&s, &mut r, 0x06, Width::Word, 0x2000);
    assert_eq!(s.read(&r, 0x06, Width::Word), 0x8280);
    write(&s, &mut r, 0x06, Width::Word, 0xFFFF);
    assert_eq!(s.read(&r, 0x06, Width::Word), 0x0280);
}

#[test]
fn windows_follow_the_command_register_and_the_base_addresses() {
    let s = space();
    let mut r = s.reset_values();
    assert!(!write(&s, &mut r, 0x20, Width::Dword, 0xC001));
    assert!(!write(&s, &mut r, 0x10, Width::Dword, 0xF000_0000));
    assert!(!write(&s, &mut r, 0x30, Width::Dword, 0xF100_0001));
    assert_eq!(s.windows(&r).count(), 0);
    assert!(write(&s, &mut r, 0x04, Width::Word, 0x0001));
    let io = Window {
        of: WindowOf::Bar(4),
        io: true,
        base: 0xC000,
        bytes: 16,
    };
    assert_eq!(s.windows(&r).collect::<Vec<_>>(), [io]);
    assert!(write(&s, &mut r, 0x04, Width::Word, 0x0002));
    let bases: Vec<_> = s.windows(&r).map(|w| (w.of, w.base, w.bytes)).collect();
    assert_eq!(
        bases,
        [
            (WindowOf::Bar(0), 0xF000_0000, 0x1000),
            (WindowOf::Rom, 0xF100_0000, 0x1_0000)
        ]
    );
    assert!(write(&s, &mut r, 0x30, Width::Byte, 0x00), "ROM disabled");
    assert!(write(&s, &mut r, 0x1C, Width::Dword, 0x0000_0002));
    assert!(
        s.windows(&r)
            .any(|w| w.base == 2 << 32 && w.bytes == 1 << 33),
        "a 64-bit window above 4 GiB"
    );
    assert!(!write(&s, &mut r, 0x3C, Width::Byte, 11));
    assert_eq!(s.read(&r, 0x3C, Width::Word), 0x010B);
}

#[test]
fn no_window_leaves_its_space_or_starts_at_zero() {
    let s = space();
    let mut r = s.reset_values();
    write(&s, &mut r, 0x04, Width::Word, 0x0003);
    assert_eq!(s.windows(&r).count(), 0, "0 is no address");
    write(&s, &mut r, 0x20, Width::Dword, 0x0001_0000);
    write(&s, &mut r, 0x18, Width::Dword, u32::MAX);
    write(&s, &mut r, 0x1C, Width::Dword, u32::MAX);
    assert_eq!(s.windows(&r).count(), 0);
    write(&s, &mut r, 0x20, Width::Dword, 0xFFF1);
    assert_eq!(s.windows(&r).map(|w| w.base).collect::<Vec<_>>(), [0xFFF0]);
}

#[test]
fn any_access_anywhere_is_harmless() {
    let s = space();
    let mut r = s.reset_values();
    let mut rng = emu_core::testkit::Rng::new(9);
    for _ in 0..20_000 {
        let v = rng.next_u64();
        let width = [Width::Byte, Width::Word, Width::Dword][(v % 3) as usize];
        write(&s, &mut r, (v >> 8) as u8, width, (v >> 32) as u32);
        let _ = s.read(&r, (v >> 16) as u8, width);
        for w in s.windows(&r) {
            assert!(w.bytes.is_power_of_two() && w.base % w.bytes == 0);
        }
    }
}
