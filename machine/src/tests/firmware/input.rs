//! INT 09h and 16h, the mouse services of INT 15h, the boot menu, and what is said when nothing boots.

use super::*;
use emu_core::host::MouseEvent;

const KEY_A: u8 = 0x04;
const KEY_3: u8 = 0x20;
const KEY_CAPS_LOCK: u8 = 0x39;
const KEY_F1: u8 = 0x3A;
const KEY_F11: u8 = 0x44;
const KEY_F12: u8 = 0x45;
const KEY_PAUSE: u8 = 0x48;
const KEY_UP: u8 = 0x52;
const PAD_ENTER: u8 = 0x58;
const PAD_5: u8 = 0x5D;
const PAD_6: u8 = 0x5E;
const LEFT_CTRL: u8 = 0xE0;
const LEFT_SHIFT: u8 = 0xE1;
const LEFT_ALT: u8 = 0xE2;

/// All keys in the buffer.
fn keys(pc: &mut Pc, read: u16) -> Vec<u16> {
    let mut all = Vec::new();
    while !pc.int(0x16, Regs::ax(read + 0x0100)).zero {
        all.push(pc.int(0x16, Regs::ax(read)).eax as u16);
    }
    all
}

#[test]
fn keys_come_with_scan_code_and_character() {
    let mut pc = Pc::new();
    for key in [KEY_A, KEY_F1, KEY_UP, KEY_F11, PAD_ENTER] {
        pc.strike(key);
    }
    assert_eq!(
        keys(&mut pc, 0x1000),
        [0x1E61, 0x3B00, 0x48E0, 0x8500, 0xE00D]
    );
    for key in [KEY_A, KEY_F1, KEY_UP, KEY_F11, PAD_ENTER] {
        pc.strike(key);
    }
    // As the 84-key keyboard has them: it has no F11.
    assert_eq!(keys(&mut pc, 0x0000), [0x1E61, 0x3B00, 0x4800, 0x1C0D]);
    pc.key(LEFT_SHIFT, true);
    pc.strike(KEY_A);
    assert_eq!(pc.int(0x16, Regs::ax(0x0200)).al(), 0x02);
    pc.key(LEFT_SHIFT, false);
    pc.key(LEFT_CTRL, true);
    pc.strike(KEY_A);
    let r = pc.int(0x16, Regs::ax(0x1200));
    assert_eq!((r.al(), r.ah()), (0x04, 0x01));
    pc.key(LEFT_CTRL, false);
    pc.key(LEFT_ALT, true);
    pc.strike(KEY_A);
    // Alt and digits of the keypad: character 65.
    pc.strike(PAD_6);
    pc.strike(PAD_5);
    pc.key(LEFT_ALT, false);
    pc.strike(KEY_CAPS_LOCK);
    assert_eq!(pc.peek_u8(0x497) & 7, 4, "its lamp");
    pc.strike(KEY_A);
    assert_eq!(
        keys(&mut pc, 0x0000),
        [0x1E41, 0x1E01, 0x1E00, 0x0041, 0x1E41]
    );
}

#[test]
fn a_program_that_asks_for_a_key_waits_for_it() {
    let mut pc = Pc::new();
    pc.prepare(0x16, Regs::ax(0x0000));
    assert_eq!(pc.run_ns(2_000_000_000), Stop::Time);
    pc.key(KEY_A, true);
    assert_eq!(pc.run_to_exit().eax, 0x1E61);
}

#[test]
fn the_buffer_holds_fifteen_keys_and_takes_them_from_programs_too() {
    let mut pc = Pc::new();
    for n in 0..15 {
        assert_eq!(pc.int(0x16, Regs::ax(0x0500).cx(0x1200 + n)).al(), 0);
    }
    assert_eq!(pc.int(0x16, Regs::ax(0x0500).cx(0x1234)).al(), 1, "full");
    assert_eq!(keys(&mut pc, 0x1000), (0x1200..0x120F).collect::<Vec<_>>());
    assert_eq!(pc.int(0x16, Regs::ax(0x0900)).al(), 0x74);
    // Keyboard ID 83ABh, its second byte translated.
    assert_eq!(pc.int(0x16, Regs::ax(0x0A00)).ebx & 0xFFFF, 0x41AB);
}

#[test]
fn the_typematic_rate_can_be_set() {
    let mut pc = Pc::new();
    // After a quarter of a second, two a second.
    pc.int(0x16, Regs::ax(0x0305).bx(0x001F));
    pc.key(KEY_A, true);
    pc.pass_ms(1400);
    pc.key(KEY_A, false);
    pc.pass_ms(50);
    assert_eq!(
        keys(&mut pc, 0x0000).len(),
        4,
        "now, and after 250, 750 and 1250 ms"
    );
}

#[test]
fn a_hook_of_int_15h_can_swallow_keys_and_ctrl_break_calls_int_1bh() {
    let mut pc = Pc::new();
    let old = pc.peek(0x15 * 4, 4);
    // CLC; RETF 2.
    pc.poke(0x710, &[0xF8, 0xCA, 0x02, 0x00]);
    pc.poke(0x15 * 4, &[0x10, 0x07, 0x00, 0x00]);
    pc.strike(KEY_A);
    assert!(pc.int(0x16, Regs::ax(0x0100)).zero);
    pc.poke(0x15 * 4, &old);
    // INC BYTE CS:[0700]; IRET.
    pc.poke(0x1B * 4, &[0x10, 0x07, 0x00, 0x00]);
    pc.poke(0x700, &[0]);
    pc.poke(0x710, &[0x2E, 0xFE, 0x06, 0x00, 0x07, 0xCF]);
    pc.strike(KEY_A);
    pc.key(LEFT_CTRL, true);
    pc.strike(KEY_PAUSE);
    pc.key(LEFT_CTRL, false);
    pc.pass_ms(20);
    assert_eq!((pc.peek_u8(0x700), pc.peek_u8(0x471)), (1, 0x80));
    assert_eq!(keys(&mut pc, 0x0000), [0x0000], "the buffer was emptied");
}

#[test]
fn the_mouse_calls_its_handler() {
    let mut pc = Pc::new();
    let c2 = |ax: u16, bx: u16| Regs::ax(ax).bx(bx);
    let r = pc.int(0x15, c2(0xC200, 0x0100));
    assert_eq!((r.ah(), r.carry), (5, true), "no handler yet");
    // Status, X, Y to 0700, 0702, 0704.
    let handler = [
        0x55, 0x89, 0xE5, 0x8B, 0x46, 0x0C, 0x2E, 0xA3, 0x00, 0x07, 0x8B, 0x46, 0x0A, 0x2E, 0xA3,
        0x02, 0x07, 0x8B, 0x46, 0x08, 0x2E, 0xA3, 0x04, 0x07, 0x5D, 0xCB,
    ];
    pc.poke(0x720, &handler);
    assert!(
        !pc.int(0x15, c2(0xC205, 0x0300)).carry,
        "packets of three bytes"
    );
    assert!(!pc.int(0x15, c2(0xC207, 0x0720)).carry);
    let r = pc.int(0x15, c2(0xC201, 0));
    assert_eq!((r.ebx & 0xFFFF, r.carry), (0x00AA, false));
    assert_eq!(pc.int(0x15, c2(0xC204, 0)).ebx >> 8 & 0xFF, 0, "type");
    assert!(!pc.int(0x15, c2(0xC202, 0x0300)).carry, "60 a second");
    assert!(
        !pc.int(0x15, c2(0xC203, 0x0200)).carry,
        "4 counts a millimetre"
    );
    assert!(!pc.int(0x15, c2(0xC206, 0x0100)).carry, "scaling 1:1");
    for (ax, bx) in [
        (0xC202, 0x0700),
        (0xC203, 0x0400),
        (0xC206, 0x0300),
        (0xC205, 0x0000),
    ] {
        let r = pc.int(0x15, c2(ax, bx));
        assert_eq!((r.ah(), r.carry), (2, true), "{ax:04X}");
    }
    let r = pc.int(0x15, c2(0xC208, 0));
    assert_eq!((r.ah(), r.carry), (1, true));
    assert!(!pc.int(0x15, c2(0xC200, 0x0100)).carry);
    let r = pc.int(0x15, c2(0xC206, 0x0000));
    assert_eq!(
        (r.ebx & 0xFF, r.ecx & 0xFF, r.edx & 0xFF),
        (0x20, 2, 60),
        "enabled"
    );
    let event = |dx, dy, buttons| {
        HostEvent::Mouse(MouseEvent {
            dx,
            dy,
            wheel: 0,
            buttons,
        })
    };
    pc.machine.input(event(8, -3, 1));
    pc.pass_ms(50);
    // Y negative; bit 3 always; left button.
    assert_eq!([0, 2, 4].map(|n| pc.peek_u16(0x700 + n)), [0x29, 8, 0xFD]);
    assert!(!pc.int(0x15, c2(0xC200, 0x0000)).carry);
    pc.poke(0x700, &[0; 6]);
    pc.machine.input(event(5, 5, 0));
    pc.pass_ms(50);
    assert_eq!(pc.peek(0x700, 6), [0; 6], "disabled");
}

#[test]
fn where_the_boot_menu_is_wanted_its_prompt_waits_for_f12() {
    let wanted = MachineSpec {
        boot_menu: true,
        ..MachineSpec::default()
    };
    let mut pc = Pc::powered_on(wanted.clone());
    pc.run_until_screen_shows("Press F12 for the boot menu");
    pc.run_ns(300_000_000);
    pc.key(KEY_F12, true);
    pc.run_until_screen_shows("Boot from:");
    // Nobody presses it: the system is started.
    Pc::with(wanted);
}

#[test]
fn f12_brings_the_boot_menu_and_what_does_not_boot_says_why() {
    let mut pc = Pc::powered_on(MachineSpec::default());
    for n in 0.. {
        assert!(n < 300, "no menu");
        pc.key(KEY_F12, n % 2 == 0);
        pc.run_ns(2_000_000);
        if pc.machine.screen_text().is_some() && pc.screen().contains("Boot from:") {
            break;
        }
    }
    pc.key(KEY_F12, false);
    pc.run_ns(50_000_000);
    pc.key(KEY_3, true);
    pc.run_until_screen_shows("No bootable device:");
    let screen = pc.screen();
    assert!(screen.contains("CD-ROM: no medium"), "{screen}");
    assert!(!screen.contains("Hard disk:"), "{screen}");
    // Nothing chosen: every kind of drive is tried, and named.
    let mut pc = Pc::new();
    let screen = pc.screen();
    for text in [
        "Diskette: no medium",
        "Hard disk: there is none",
        "CD-ROM: no medium",
    ] {
        assert!(screen.contains(text), "{text}: {screen}");
    }
}
