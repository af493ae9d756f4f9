//! Services for protected mode, and PCI and APM in real mode.

use super::*;

const CODE_32: u16 = 0x08;
const DATA_32: u16 = 0x10;
/// The firmware's segment as APM wants it: 32-bit code, 16-bit code, data at 0040h.
const BIOS_CODE_32: u16 = 0x18;
const BIOS_CODE_16: u16 = 0x20;
const GDT: u32 = 0x5000;

impl Pc {
    /// Runs code in flat 32-bit protected mode, interrupts off.
    fn code_32(&mut self, code: &[u8], regs: Regs) -> Regs {
        let gdt: [u64; 6] = [
            0,
            0x00CF_9B00_0000_FFFF,
            0x00CF_9300_0000_FFFF,
            0x0040_9B0F_0000_FFFF,
            0x0000_9B0F_0000_FFFF,
            0x0000_9300_0400_FFFF,
        ];
        let gdt: Vec<u8> = gdt.iter().flat_map(|d| d.to_le_bytes()).collect();
        self.poke(GDT, &gdt);
        let mut bytes = code.to_vec();
        bytes.extend([0xE6, EXIT_PORT, 0xEB, 0xFE]);
        self.poke(CODE, &bytes);
        self.take_over(&regs);
        let mut s = self.machine.cpu.state();
        s.gdtr.base = GDT.into();
        s.gdtr.limit = gdt.len() as u16 - 1;
        let flat = |selector, rights: u32| SegmentRegister {
            selector: Selector(selector),
            base: 0,
            limit: u32::MAX,
            attributes: SegmentAttributes::from_bits_retain(rights) | SegmentAttributes::USABLE,
        };
        s.segments = [flat(DATA_32, 0xC093); 6];
        s.segments[Seg::Cs as usize] = flat(CODE_32, 0xC09B);
        s.cr0 |= Cr0::PE;
        s.rflags = Rflags::from_bits_retain(2);
        self.machine.cpu.set_state(&s);
        let out = self.run_to_exit();
        assert_eq!(
            self.machine.cpu.state().gpr[Gpr::Rsp as usize],
            u64::from(STACK)
        );
        out
    }
    fn far_call_32(&mut self, selector: u16, offset: u32, regs: Regs) -> Regs {
        let mut code = vec![0x9A];
        code.extend(offset.to_le_bytes());
        code.extend(selector.to_le_bytes());
        self.code_32(&code, regs)
    }
    fn near_call_32(&mut self, at: u32, regs: Regs) -> Regs {
        let mut code = vec![0xE8];
        code.extend(at.wrapping_sub(CODE + 5).to_le_bytes());
        self.code_32(&code, regs)
    }
}

/// The PCI services through either way in.
fn pci_services(mut call: impl FnMut(Regs) -> Regs) {
    let r = call(Regs::ax(0xB101));
    assert_eq!((r.ah(), r.carry, r.al() & 1), (0, false, 1), "mechanism 1");
    assert_eq!(
        (r.edx, r.ebx & 0xFFFF, r.ecx & 0xFF),
        (0x2049_4350, 0x0210, 0)
    );
    // The IDE function; a second one there is not; no vendor FFFFh.
    let find = Regs::ax(0xB102).cx(0x7010).dx(0x8086);
    let r = call(find);
    assert_eq!((r.ah(), r.carry, r.ebx & 0xFFFF), (0, false, 0x0009));
    let r = call(find.si(1));
    assert_eq!((r.ah(), r.carry), (0x86, true));
    let r = call(find.dx(0xFFFF));
    assert_eq!((r.ah(), r.carry), (0x83, true));
    let r = call(Regs {
        ecx: 0x03_0000,
        ..Regs::ax(0xB103)
    });
    assert_eq!((r.ah(), r.carry, r.ebx & 0xFFFF), (0, false, 0x0010));
    let at = |ax: u16, di: u16| Regs::ax(ax).bx(0x0009).di(di);
    assert_eq!(call(at(0xB108, 0x0B)).ecx & 0xFF, 0x01);
    assert_eq!(call(at(0xB109, 0x02)).ecx & 0xFFFF, 0x7010);
    assert_eq!(call(at(0xB10A, 0x00)).ecx, 0x7010_8086);
    // The latency timer's upper half, the bus master's base, the timing register.
    let old = call(at(0xB10A, 0x20)).ecx;
    for (write, read, di, value, mask) in [
        (0xB10B, 0xB108, 0x0D, 0x40, 0xFF),
        (0xB10C, 0xB109, 0x40, 0xA307, 0xFFFF),
        (0xB10D, 0xB10A, 0x20, 0xC101, 0xFFFF_FFFF),
    ] {
        let r = call(Regs {
            ecx: value,
            ..at(write, di)
        });
        assert_eq!((r.ah(), r.carry), (0, false));
        assert_eq!(call(at(read, di)).ecx & mask, value);
    }
    call(Regs {
        ecx: old,
        ..at(0xB10D, 0x20)
    });
    for (ax, di) in [(0xB109, 1), (0xB10A, 2), (0xB10D, 1), (0xB108, 0x100)] {
        let r = call(at(ax, di));
        assert_eq!((r.ah(), r.carry), (0x87, true), "{ax:04X} {di:X}");
    }
    let r = call(Regs::ax(0xB106).bx(0));
    assert_eq!((r.ah(), r.carry), (0, false), "special cycle");
    let r = call(Regs::ax(0xB10F).bx(0x0009).cx(0x0A05));
    assert_eq!(
        (r.ah(), r.carry),
        (0x88, true),
        "the function has no such pin"
    );
    let r = call(Regs::ax(0xB104));
    assert_eq!((r.ah(), r.carry), (0x81, true));
}

#[test]
fn the_pci_bios_works_in_real_mode() {
    let mut pc = Pc::new();
    pci_services(|r| pc.int(0x1A, r));
    // Routing options: 16 bytes a slot; a buffer that is too small gets the size.
    let options = Regs::ax(0xB10E).es(BUFFER_SEGMENT).ds(0xF000);
    pc.poke(BUFFER, &[0, 0, 0x10, 0, 0, 0x20]);
    let r = pc.int(0x1A, options);
    assert_eq!((r.ah(), r.carry), (0x89, true));
    let bytes = pc.peek_u16(BUFFER);
    assert_eq!((bytes % 16, bytes > 0), (0, true));
    let r = pc.int(0x1A, options);
    assert_eq!((r.ah(), r.carry, r.ebx & 0xFFFF), (0, false, 0x0C00));
    // Slot 1: INTA# leads to PIRQA, the PIIX3's register 60h.
    assert_eq!(pc.peek(BUFFER + 16, 3), [0, 8, 0x60]);
}

#[test]
fn the_pci_bios_works_in_protected_mode() {
    let mut pc = Pc::new();
    let directory = (0xE_0000..0x10_0000u32).step_by(16);
    let directory = directory
        .into_iter()
        .find(|&at| pc.peek(at, 4) == b"_32_")
        .unwrap();
    let bytes = pc.peek(directory, 16);
    assert_eq!(bytes.iter().fold(0u8, |a, b| a.wrapping_add(*b)), 0);
    let entry = pc.peek_u32(directory + 4);
    let ask = |eax, ebx| Regs {
        eax,
        ebx,
        ..Regs::default()
    };
    let r = pc.far_call_32(CODE_32, entry, ask(0x4943_5024, 0));
    assert_eq!((r.al(), r.ebx, r.ecx), (0, 0xF_0000, 0x1_0000));
    let pci = r.ebx + r.edx;
    assert_eq!(
        pc.far_call_32(CODE_32, entry, ask(0x4941_5024, 0)).al(),
        0x80
    );
    assert_eq!(
        pc.far_call_32(CODE_32, entry, ask(0x4943_5024, 1)).al(),
        0x81
    );
    pci_services(|r| pc.far_call_32(CODE_32, pci, r));
    // Offset and selector of the routing buffer.
    pc.poke(BUFFER, &[0, 4, 0x10, 0, 2, 0, DATA_32 as u8, 0]);
    let options = Regs {
        edi: BUFFER,
        ..Regs::ax(0xB10E)
    };
    let r = pc.far_call_32(CODE_32, pci, options);
    assert_eq!((r.ah(), r.carry, r.ebx & 0xFFFF), (0, false, 0x0C00));
    assert_eq!(pc.peek(BUFFER + 16, 3), [0, 8, 0x60]);
}

/// The services behind a connection.
fn apm_services(mut call: impl FnMut(Regs) -> Regs) {
    let ok = |r: Regs| (r.ah(), r.carry) == (0, false);
    let r = call(Regs::ax(0x530E).cx(0x0102));
    assert_eq!((r.eax & 0xFFFF, r.carry), (0x0102, false));
    let r = call(Regs::ax(0x530A).bx(1));
    assert!(ok(r));
    assert_eq!(
        (r.ebx & 0xFFFF, r.ecx & 0xFF00),
        (0x01FF, 0x8000),
        "mains, no battery"
    );
    let r = call(Regs::ax(0x530B));
    assert_eq!((r.ah(), r.carry), (0x80, true), "no event");
    assert!(ok(call(Regs::ax(0x5308).bx(1).cx(1))));
    assert!(ok(call(Regs::ax(0x5309).bx(1))));
    assert!(ok(call(Regs::ax(0x530D).bx(1).cx(1))));
    assert!(ok(call(Regs::ax(0x530F).bx(1).cx(1))));
    assert_eq!(call(Regs::ax(0x530C).bx(1)).ecx & 0xFFFF, 0);
    assert!(ok(call(Regs::ax(0x5306))));
    assert!(ok(call(Regs::ax(0x5310))));
    for (ax, bx, cx, error) in [
        (0x5307, 1, 1, 0x60),
        (0x5307, 1, 9, 0x0A),
        (0x5307, 2, 3, 0x09),
        (0x5308, 7, 1, 0x09),
        (0x5304, 1, 0, 0x09),
        (0x5344, 0, 0, 0x0C),
    ] {
        let r = call(Regs::ax(ax).bx(bx).cx(cx));
        assert_eq!((r.ah(), r.carry), (error, true), "{ax:04X} {bx} {cx}");
    }
    assert!(ok(call(Regs::ax(0x5304))), "disconnected");
}

#[test]
fn apm_connects_in_real_mode_and_in_both_protected_modes() {
    let mut pc = Pc::new();
    let r = pc.int(0x15, Regs::ax(0x5300));
    assert_eq!(r.word()[..3], [0x0102, 0x504D, 0x0003]);
    let r = pc.int(0x15, Regs::ax(0x5300).bx(1));
    assert_eq!((r.ah(), r.carry), (9, true));
    assert!(!pc.int(0x15, Regs::ax(0x5301)).carry);
    let r = pc.int(0x15, Regs::ax(0x5303));
    assert_eq!((r.ah(), r.carry), (2, true), "connected in real mode");
    apm_services(|r| pc.int(0x15, r));
    let r = pc.int(0x15, Regs::ax(0x5304));
    assert_eq!((r.ah(), r.carry), (3, true), "not connected");
    // 16 bits: AX code segment, BX entry, CX data segment.
    let r = pc.int(0x15, Regs::ax(0x5302));
    assert!(!r.carry);
    assert_eq!((r.eax & 0xFFFF, r.ecx & 0xFFFF), (0xF000, 0x0040));
    let mut code = vec![0x66, 0x9A];
    code.extend((r.ebx as u16).to_le_bytes());
    code.extend(BIOS_CODE_16.to_le_bytes());
    apm_services(|r| pc.code_32(&code, r));
    // 32 bits: AX and CX code segments, EBX entry, DX data segment.
    let r = pc.int(0x15, Regs::ax(0x5303));
    assert!(!r.carry);
    assert_eq!(
        (r.eax & 0xFFFF, r.ecx & 0xFFFF, r.edx & 0xFFFF),
        (0xF000, 0xF000, 0x0040)
    );
    apm_services(|regs| pc.far_call_32(BIOS_CODE_32, r.ebx, regs));
    // Power off.
    assert!(!pc.int(0x15, Regs::ax(0x5301)).carry);
    pc.prepare(0x15, Regs::ax(0x5307).bx(1).cx(3));
    assert_eq!(pc.run_ns(1_000_000_000), Stop::PowerOff);
}

#[test]
fn int_15h_89h_switches_to_protected_mode() {
    let mut pc = Pc::new();
    // GDT, IDT, DS, ES, SS, CS, the BIOS' own.
    let data = 0x0000_9300_0000_FFFFu64;
    let code = 0x0000_9B00_0000_FFFFu64;
    let table = |base: u64, limit: u64| limit | (base & 0xFF_FFFF) << 16;
    let gdt = [
        0,
        table(u64::from(BUFFER), 0x3F),
        table(0, 0x3FF),
        data,
        data,
        data,
        code,
        0,
    ];
    let gdt: Vec<u8> = gdt.iter().flat_map(|d| d.to_le_bytes()).collect();
    pc.poke(BUFFER, &gdt);
    pc.prepare(0x15, Regs::ax(0x8900).bx(0x5058).es(BUFFER_SEGMENT));
    let r = pc.run_to_exit();
    assert_eq!((r.ah(), r.carry), (0, false));
    let s = pc.machine.cpu.state();
    assert!(s.cr0.contains(Cr0::PE));
    let selectors = [Seg::Cs, Seg::Ss, Seg::Ds, Seg::Es].map(|g| s.segments[g as usize].selector.0);
    assert_eq!(selectors, [0x30, 0x28, 0x18, 0x20]);
    assert!(!s.rflags.contains(Rflags::IF));
    assert_eq!(s.gpr[Gpr::Rsp as usize] & 0xFFFF, u64::from(STACK));
    assert_eq!(
        (pc.inb(0x21), pc.inb(0xA1)),
        (0xFF, 0xFF),
        "all interrupts masked"
    );
}

#[test]
fn the_vbe_protected_mode_interface_does_what_the_functions_do() {
    let mut pc = Pc::new();
    assert_eq!(pc.int(0x10, Regs::ax(0x4F02).bx(0x0101)).eax, 0x004F);
    let r = pc.int(0x10, Regs::ax(0x4F0A));
    assert_eq!(r.eax, 0x004F);
    let table = (u32::from(r.es) << 4) + (r.edi & 0xFFFF);
    // A program copies the code and calls its copy.
    let length = r.ecx as usize & 0xFFFF;
    let copy = pc.peek(table, length);
    pc.poke(BUFFER, &copy);
    let entry = |pc: &Pc, n: u32| BUFFER + u32::from(pc.peek_u16(BUFFER + 2 * n));
    let (window, start, palette) = (entry(&pc, 0), entry(&pc, 1), entry(&pc, 2));
    assert_eq!(
        pc.near_call_32(window, Regs::default().dx(3)).eax & 0xFFFF,
        0x004F
    );
    assert_eq!(pc.int(0x10, Regs::ax(0x4F05).bx(0x0100)).edx & 0xFFFF, 3);
    assert_eq!(
        pc.near_call_32(window, Regs::default().bx(1)).eax & 0xFFFF,
        0x014F
    );
    // Line 5, pixel 8 of 1024: byte 5128, in units of four.
    pc.int(0x10, Regs::ax(0x4F06).cx(1024));
    let r = pc.near_call_32(start, Regs::default().cx(5128 / 4));
    assert_eq!(r.eax & 0xFFFF, 0x004F);
    let r = pc.int(0x10, Regs::ax(0x4F07).bx(0x0001));
    assert_eq!((r.ecx & 0xFFFF, r.edx & 0xFFFF), (8, 5));
    pc.poke(0x3_0000, &[0x11, 0x22, 0x33, 0]);
    let colours = Regs {
        edi: 0x3_0000,
        ..Regs::default().bx(0x80).cx(1).dx(7)
    };
    assert_eq!(pc.near_call_32(palette, colours).eax & 0xFFFF, 0x004F);
    let r = pc.int(0x10, Regs::ax(0x1015).bx(7));
    assert_eq!(
        (r.edx >> 8 & 0xFF, r.ecx & 0xFFFF),
        (0x33, 0x2211),
        "red, green, blue"
    );
}
