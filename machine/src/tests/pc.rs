//! The board `pc` as a CPU sees it, without a CPU.

use crate::boards::{BuildError, Hosts, build_board};
use crate::spec::{DEFAULT_CPU, MachineSpec, SpecError};
use crate::{Board, Until};
use cpu::CpuModel;
use cpu::models::Traits;
use emu_core::backend::{Attention, CpuId, LapicRegister, Special, SystemBus};
use emu_core::bus::{Gpa, Width};
use emu_core::testkit::Rng;

const CPU: CpuId = CpuId(0);

fn pc() -> Board {
    pc_with(DEFAULT_CPU)
}

fn pc_with(cpu: &str) -> Board {
    let spec = MachineSpec {
        memory_bytes: 2 << 20,
        cpu: cpu.into(),
        ..MachineSpec::default()
    };
    build_board(&spec, Hosts::default()).unwrap().0
}

#[test]
fn the_local_apic_of_each_model_has_the_registers_that_cpuid_promises() {
    for model in CpuModel::ALL {
        let spec = MachineSpec {
            memory_bytes: 2 << 20,
            cpu: model.name.to_string(),
            ..MachineSpec::default()
        };
        let mut b = match build_board(&spec, Hosts::default()) {
            Ok((board, _)) => board,
            Err(BuildError::Spec(SpecError::CpuTooOld { .. })) => continue,
            Err(e) => panic!("{}: {e}", model.name),
        };
        let traits = model.traits;
        let mut has = |register| b.lapic_read(CPU, register).is_some();
        assert_eq!(
            has(LapicRegister::Base),
            traits.contains(Traits::APIC),
            "{}",
            model.name
        );
        let deadline = traits.contains(Traits::TSC_DEADLINE);
        assert_eq!(has(LapicRegister::TscDeadline), deadline, "{}", model.name);
        let base = 0xFEE0_0000 | 0b1101 << 8;
        let x2apic = b.lapic_write(CPU, LapicRegister::Base, base);
        assert_eq!(x2apic, traits.contains(Traits::X2APIC), "{}", model.name);
    }
}

const LOCAL_APIC: u64 = 0xFEE0_0000;
const IO_APIC: u64 = 0xFEC0_0000;

fn local_apic(b: &mut Board, offset: u64, value: u64) {
    b.mmio_write(CPU, Gpa(LOCAL_APIC + offset), false, Width::Dword, value);
}

fn io_apic(b: &mut Board, register: u64, value: u64) {
    b.mmio_write(CPU, Gpa(IO_APIC), false, Width::Dword, register);
    b.mmio_write(CPU, Gpa(IO_APIC + 0x10), false, Width::Dword, value);
}

/// The local APIC enabled, LINT0 as ExtINT, LINT1 as NMI: what firmware leaves behind.
fn virtual_wire(b: &mut Board) {
    local_apic(b, 0xF0, 0x1FF);
    local_apic(b, 0x350, 0x700);
    local_apic(b, 0x360, 0x400);
}

#[test]
fn an_overflow_of_a_performance_counter_comes_through_its_entry_of_the_local_apic() {
    let mut b = pc();
    local_apic(&mut b, 0xF0, 0x1FF);
    for (entry, wanted) in [(0x400, Attention::NMI), (0x1_0400, Attention::empty())] {
        b.accept(CPU, Attention::NMI);
        local_apic(&mut b, 0x340, entry);
        b.special_cycle(CPU, Special::CounterOverflow);
        assert_eq!(b.attention(CPU) & Attention::NMI, wanted, "{entry:X}");
    }
}

/// Runs time until INTR is high; gives the instructions that took.
fn wait_for_interrupt(b: &mut Board, at_most: u64) -> u64 {
    let start = b.insns_retired();
    while !b.attention(CPU).contains(Attention::INTR) {
        let n = b.countdown().max(1);
        b.advance(n);
        assert!(b.insns_retired() - start < at_most, "no interrupt");
    }
    b.insns_retired() - start
}

#[test]
fn interrupts_come_through_the_io_apic_to_the_local_apic_by_edge_and_level() {
    let mut b = pc();
    local_apic(&mut b, 0xF0, 0x1FF);
    // IRQ 0 is at pin 2: edge, vector 30h, to APIC 0.
    io_apic(&mut b, 0x15, 0);
    io_apic(&mut b, 0x14, 0x30);
    for (port, value) in [(0x43, 0x34), (0x40, 0xA9), (0x40, 0x04)] {
        b.port_write(CPU, port, Width::Byte, value);
    }
    assert_eq!(b.acknowledge(CPU), Some(0x30));
    local_apic(&mut b, 0xB0, 0);
    let insns = wait_for_interrupt(&mut b, 1_000_000);
    assert!((99_000..=101_000).contains(&insns), "{insns}");
    assert_eq!(b.acknowledge(CPU), Some(0x30));
    local_apic(&mut b, 0xB0, 0);
    io_apic(&mut b, 0x14, 0x1_0030);
    // COM1's transmitter interrupt at pin 4 as a level: it comes again after its end as long as it is there.
    io_apic(&mut b, 0x18, 0x8044);
    b.port_write(CPU, 0x3FC, Width::Byte, 0x08);
    b.port_write(CPU, 0x3F9, Width::Byte, 0x02);
    for _ in 0..3 {
        assert_eq!(b.acknowledge(CPU), Some(0x44));
        assert!(!b.attention(CPU).contains(Attention::INTR));
        local_apic(&mut b, 0xB0, 0);
    }
    assert_eq!(b.acknowledge(CPU), Some(0x44));
    b.port_write(CPU, 0x3F9, Width::Byte, 0x00);
    local_apic(&mut b, 0xB0, 0);
    assert!(!b.attention(CPU).contains(Attention::INTR));
}

#[test]
fn the_8259as_reach_the_cpu_through_lint0_or_the_io_apics_pin_0() {
    for through_io_apic in [false, true] {
        let mut b = pc();
        local_apic(&mut b, 0xF0, 0x1FF);
        if through_io_apic {
            io_apic(&mut b, 0x10, 0x700);
        } else {
            local_apic(&mut b, 0x350, 0x700);
        }
        for (port, value) in [
            (0x20, 0x11),
            (0x21, 0x08),
            (0x21, 0x04),
            (0x21, 0x01),
            (0x21, 0xFE),
            (0x43, 0x34),
            (0x40, 0xA9),
            (0x40, 0x04),
        ] {
            b.port_write(CPU, port, Width::Byte, value);
        }
        assert!(b.attention(CPU).contains(Attention::INTR));
        assert_eq!(b.acknowledge(CPU), Some(0x08), "{through_io_apic}");
        assert!(!b.attention(CPU).contains(Attention::INTR));
    }
}

#[test]
fn a_message_from_a_cpu_to_itself_arrives_and_one_to_nobody_is_an_error() {
    // On the APIC bus; later ones do not notice that nobody accepts a message.
    let mut b = pc_with("p6");
    local_apic(&mut b, 0xF0, 0x1FF);
    local_apic(&mut b, 0x310, 0);
    local_apic(&mut b, 0x300, 0x4055);
    assert_eq!(b.acknowledge(CPU), Some(0x55));
    local_apic(&mut b, 0xB0, 0);
    // All but itself is nobody on a board with one CPU.
    local_apic(&mut b, 0x300, 0xC_4055);
    assert!(!b.attention(CPU).contains(Attention::INTR));
    local_apic(&mut b, 0x280, 0);
    let errors = b.mmio_read(CPU, Gpa(LOCAL_APIC + 0x280), false, Width::Dword);
    assert_eq!(errors, 4, "send accept error");
    // NMI and INIT to itself.
    local_apic(&mut b, 0x300, 0x4400);
    assert!(b.attention(CPU).contains(Attention::NMI));
    local_apic(&mut b, 0x300, 0x4500);
    assert!(b.attention(CPU).contains(Attention::INIT));
    let svr = b.mmio_read(CPU, Gpa(LOCAL_APIC + 0xF0), false, Width::Dword);
    assert_eq!(svr, 0xFF, "INIT reaches the local APIC too");
}

#[test]
fn processors_before_the_p6_have_no_apics_around_them() {
    let spec = MachineSpec {
        memory_bytes: 2 << 20,
        cpu: "80286".to_string(),
        ..MachineSpec::default()
    };
    let mut b = build_board(&spec, Hosts::default()).unwrap().0;
    for at in [LOCAL_APIC + 0x30, IO_APIC] {
        assert_eq!(b.mmio_read(CPU, Gpa(at), false, Width::Dword), 0xFFFF_FFFF);
    }
    assert_eq!(b.lapic_read(CPU, LapicRegister::Base), None);
    assert!(!b.lapic_write(CPU, LapicRegister::Base, 0xFEE0_0900));
}

#[test]
fn the_board_is_free_of_conflicts_and_knows_its_pci_functions() {
    let mut b = pc();
    let mut id = |device: u32, function: u32| {
        let at = 0x8000_0000 | device << 11 | function << 8;
        b.port_write(CPU, 0xCF8, Width::Dword, at);
        b.port_read(CPU, 0xCFC, Width::Dword)
    };
    // 82441FX, 82371SB ISA bridge and IDE, the VGA that Bochs and QEMU document, and an empty slot.
    assert_eq!(id(0, 0), 0x1237_8086);
    assert_eq!(id(1, 0), 0x7000_8086);
    assert_eq!(id(1, 1), 0x7010_8086);
    assert_eq!(id(2, 0), 0x1111_1234);
    assert_eq!(id(9, 0), 0xFFFF_FFFF);
}

#[test]
fn reset_code_stands_below_4_gib_and_below_1_mib() {
    let mut b = pc();
    let high = b.mmio_read(CPU, Gpa(0xFFFF_FFF0), false, Width::Byte);
    assert_eq!(high, 0xEA, "a far jump");
    assert_eq!(b.mmio_read(CPU, Gpa(0xF_FFF0), false, Width::Byte), high);
}

#[test]
fn a_programmed_timer_interrupts_with_the_vector_of_its_controller() {
    let mut b = pc();
    virtual_wire(&mut b);
    for (port, value) in [
        // 8259: ICW1-ICW4, vectors from 08h, all masked but IRQ 0.
        (0x20, 0x11),
        (0x21, 0x08),
        (0x21, 0x04),
        (0x21, 0x01),
        (0x21, 0xFE),
        // 8254: counter 0, mode 2, 1193 clocks: a millisecond.
        (0x43, 0x34),
        (0x40, 0xA9),
        (0x40, 0x04),
    ] {
        b.port_write(CPU, port, Width::Byte, value);
    }
    // Selecting mode 2 lets OUT rise: a first edge, long before the period is over.
    assert_eq!(b.acknowledge(CPU), Some(0x08));
    b.port_write(CPU, 0x20, Width::Byte, 0x20);
    let insns = wait_for_interrupt(&mut b, 1_000_000);
    assert!((99_000..=101_000).contains(&insns), "{insns}");
    assert_eq!(b.acknowledge(CPU), Some(0x08));
    assert_eq!(Until::insns(insns).insns, insns);
}

#[test]
fn a_slave_answers_only_to_the_cascade_number_that_its_icw3_gives() {
    // The number that ICW3 gives to the slave, and the vector that the CPU gets for IRQ 8.
    for (number, vector) in [(2, 0x70), (3, 0xFF)] {
        let mut b = pc();
        virtual_wire(&mut b);
        for (port, value) in [
            (0x20, 0x11),
            (0x21, 0x08),
            (0x21, 0x04),
            (0x21, 0x01),
            (0x21, 0xFB),
            (0xA0, 0x11),
            (0xA1, 0x70),
            (0xA1, number),
            (0xA1, 0x01),
            (0xA1, 0xFE),
            // The clock chip: update-ended interrupt, 24 hours.
            (0x70, 0x0B),
            (0x71, 0x12),
        ] {
            b.port_write(CPU, port, Width::Byte, value);
        }
        wait_for_interrupt(&mut b, 300_000_000);
        assert_eq!(b.acknowledge(CPU), Some(vector));
    }
}

/// Random accesses to everything that the board decodes, with time passing. How many is decided by the time that a
/// test may take; `RANDOM_ACCESSES=10000000` runs more.
#[test]
fn random_accesses_neither_panic_nor_hang() {
    let count = std::env::var("RANDOM_ACCESSES").map_or(300_000, |n| n.parse().unwrap());
    let mut rng = Rng::new(7);
    let mut b = pc();
    let ports: Vec<u16> = [
        0x00..=0x1F,
        0x20..=0x21,
        0x40..=0x43,
        0x60..=0x64,
        0x70..=0x73,
        0x80..=0x9F,
        0xA0..=0xA1,
        0xB2..=0xB3,
        0xC0..=0xDF,
        0xE9..=0xF7,
        0x170..=0x177,
        0x1CE..=0x1CF,
        0x1F0..=0x1F7,
        0x278..=0x27A,
        0x2E8..=0x2EF,
        0x2F8..=0x2FF,
        0x376..=0x379,
        0x37A..=0x37A,
        0x3B0..=0x3DF,
        0x3E8..=0x3EF,
        0x3F0..=0x3FF,
        0x402..=0x402,
        0x4D0..=0x4D1,
        0x510..=0x51F,
        0xCF8..=0xCFF,
        0x8900..=0x8900,
        0xB000..=0xB03F,
        0xC000..=0xC00F,
    ]
    .into_iter()
    .flatten()
    .collect();
    for _ in 0..count {
        let width = [Width::Byte, Width::Word, Width::Dword, Width::Byte][rng.below(4) as usize];
        let value = rng.next_u64();
        match rng.below(16) {
            0..=5 => {
                let port = ports[rng.below(ports.len() as u64) as usize];
                b.port_write(CPU, port, width, value as u32);
            }
            6..=10 => {
                let port = ports[rng.below(ports.len() as u64) as usize];
                b.port_read(CPU, port, width);
            }
            11 => {
                // Configuration space, where ranges are moved.
                let at = 0x8000_0000 | (rng.next_u64() as u32 & 0x1FFC);
                b.port_write(CPU, 0xCF8, Width::Dword, at);
                let byte = rng.below(4) as u16;
                b.port_write(CPU, 0xCFC + byte, width, value as u32);
            }
            12 | 13 => {
                let gpa = [0xA_0000, 0xE000_0000, 0xFEB0_0000, 0xFEC0_0000][rng.below(4) as usize];
                let gpa = Gpa(gpa + rng.below(0x2_0000));
                if value & 1 == 0 {
                    b.mmio_read(CPU, gpa, false, width);
                } else {
                    b.mmio_write(CPU, gpa, value & 2 != 0, width, value);
                }
            }
            14 => {
                let n = rng.below(b.countdown().clamp(1, 200_000)) + 1;
                b.advance(n);
            }
            _ => {
                b.acknowledge(CPU);
                b.serial_receive(rng.below(4) as usize, value as u8);
            }
        }
        b.accept(CPU, Attention::all());
        assert_eq!(b.fault, None);
    }
}
