//! The 8259A programmable interrupt controller, with the edge/level control register that EISA and PCI
//! chipsets added.
//!
//! Datasheet: Intel "8259A Programmable Interrupt Controller", order number 231468; for the edge/level register
//! Intel "82371FB (PIIX) and 82371SB (PIIX3)", order number 290550.
//!
//! One chip. A PC has two: a master at 20h-21h (ELCR at 4D0h) and a slave at A0h-A1h (ELCR at 4D1h) whose INT is
//! wired to the master's IR2. Inputs: pins 0-7 are IR0-IR7. Output: INT. The board runs an acknowledge cycle
//! through [`IntAck`]: the master answers [`Acknowledge::Slave`] where ICW3 says that a slave drives the input.
//!
//! In edge mode a request lasts only as long as its input stays high: it has to, until the acknowledgement.
//! In MCS-80/85 mode an x86 CPU, which runs two acknowledge cycles, takes the second byte of the CALL, the low
//! half of the address, for its vector; and that is what it gets here.
//!
//! **Not implemented**: nothing.
//!
//! **Known inaccuracies**: before the first ICW1 the real chip's registers are undefined; here they are clear
//! and INT is low. INT also stays low in the middle of an initialization sequence. ICW1 clears the in-service
//! register, which the datasheet does not say.

pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::{Decode, Width};
use emu_core::cap::{Acknowledge, Inputs, IntAck, PortAddr, PortIo};
use emu_core::snapshot::Snapshot;
use emu_core::wire::{Line, Pin};
use emu_core::{Cx, Device, ResetKind};
use serde::{Deserialize, Serialize};
use spec::{DEFAULT_LEVEL, Icw1, Icw4, Ocw2, Ocw3};

/// Output pins.
#[derive(Copy, Clone, Debug)]
pub struct Wiring {
    /// INT, active high.
    pub int: Line,
}

/// The edge/level control register, where the chipset has one.
#[derive(Copy, Clone, Debug)]
pub struct Elcr {
    /// Its port.
    pub port: u16,
    /// The bits that can be set.
    pub writable: u8,
}

/// What the board decides.
#[derive(Copy, Clone, Debug)]
pub struct Config {
    /// The port with A0 = 0.
    pub base: u16,
    /// The SP/EN pin: high makes a master, unless buffered mode says otherwise.
    pub master: bool,
    /// The edge/level register. With one, the LTIM bit of ICW1 has no effect.
    pub elcr: Option<Elcr>,
}

impl Config {
    /// The master of a PC with PIIX3.
    pub const MASTER: Self = Self {
        base: 0x20,
        master: true,
        elcr: Some(Elcr {
            port: 0x4D0,
            writable: spec::ELCR1_WRITABLE,
        }),
    };
    /// The slave of a PC with PIIX3.
    pub const SLAVE: Self = Self {
        base: 0xA0,
        master: false,
        elcr: Some(Elcr {
            port: 0x4D1,
            writable: spec::ELCR2_WRITABLE,
        }),
    };
}

const REGION_CHIP: u16 = 0;
const REGION_ELCR: u16 = 1;

/// What a write with A0 = 1 is taken for.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
enum Phase {
    /// No ICW1 since power-on.
    #[default]
    Unprogrammed,
    /// ICW2 comes next.
    Icw2,
    /// ICW3 comes next.
    Icw3,
    /// ICW4 comes next.
    Icw4,
    /// OCW1; the chip works.
    Ready,
}

/// All that changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Levels at IR0-IR7.
    inputs: u8,
    /// Edge sense latches: a rising edge was seen and not yet acknowledged.
    edges: u8,
    /// In-service register.
    isr: u8,
    /// Interrupt mask register.
    imr: u8,
    /// Edge/level control register.
    elcr: u8,
    phase: Phase,
    icw1: Icw1,
    icw2: u8,
    icw3: u8,
    icw4: Icw4,
    /// The level with the lowest priority.
    lowest: u8,
    special_mask: bool,
    rotate_in_aeoi: bool,
    read_isr: bool,
    poll: bool,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
    fn validate(&self) -> Result<(), &'static str> {
        if self.lowest > 7 {
            return Err("the lowest priority is at no level");
        }
        Ok(())
    }
}

/// The chip.
#[derive(Debug)]
pub struct I8259 {
    wiring: Wiring,
    config: Config,
    state: State,
}

impl I8259 {
    /// A chip, wired.
    pub fn new(wiring: Wiring, config: Config) -> Self {
        Self {
            wiring,
            config,
            state: State {
                lowest: 7,
                ..State::default()
            },
        }
    }

    fn is_master(&self) -> bool {
        if self.state.icw4.contains(Icw4::BUF) {
            self.state.icw4.contains(Icw4::MS)
        } else {
            self.config.master
        }
    }

    /// Whether an input has a slave behind it.
    fn has_slave(&self, level: u8) -> bool {
        !self.state.icw1.contains(Icw1::SNGL)
            && self.is_master()
            && self.state.icw3 & (1 << level) != 0
    }

    fn level_triggered(&self) -> u8 {
        match self.config.elcr {
            Some(_) => self.state.elcr,
            None if self.state.icw1.contains(Icw1::LTIM) => 0xFF,
            None => 0,
        }
    }

    /// The interrupt request register.
    fn irr(&self) -> u8 {
        let level = self.level_triggered();
        self.state.inputs & (level | self.state.edges)
    }

    /// 0 for the level with the highest priority, 7 for the lowest.
    fn rank(&self, level: u8) -> u8 {
        level.wrapping_sub(self.state.lowest).wrapping_sub(1) & 7
    }

    fn highest(&self, levels: u8) -> Option<u8> {
        (0..8)
            .filter(|&l| levels & (1 << l) != 0)
            .min_by_key(|&l| self.rank(l))
    }

    /// In-service bits as the priority logic sees them: special mask mode hides those that are masked.
    fn isr_seen(&self) -> u8 {
        if self.state.special_mask {
            self.state.isr & !self.state.imr
        } else {
            self.state.isr
        }
    }

    /// The level that would be acknowledged now.
    fn pending(&self) -> Option<u8> {
        if self.state.phase != Phase::Ready {
            return None;
        }
        let request = self.highest(self.irr() & !self.state.imr)?;
        let Some(in_service) = self.highest(self.isr_seen()) else {
            return Some(request);
        };
        let nested = self.rank(request) < self.rank(in_service);
        // Special fully nested mode: a slave in service is not locked out from its own input.
        let same_slave = request == in_service
            && self.state.icw4.contains(Icw4::SFNM)
            && self.has_slave(request);
        (nested || same_slave).then_some(request)
    }

    fn drive_int(&mut self, cx: &mut Cx<'_>) {
        cx.set_line(self.wiring.int, self.pending().is_some());
    }

    /// First INTA pulse: the request moves to the in-service register. INT falls, and rises again at once if
    /// something else may interrupt: a master sees the edge.
    fn take(&mut self, end_automatically: bool, cx: &mut Cx<'_>) -> Option<u8> {
        let level = self.pending();
        if let Some(level) = level {
            self.state.edges &= !(1 << level);
            self.state.isr |= 1 << level;
            if end_automatically && self.state.icw4.contains(Icw4::AEOI) {
                self.end_of_interrupt(level, self.state.rotate_in_aeoi);
            }
        }
        cx.set_line(self.wiring.int, false);
        self.drive_int(cx);
        level
    }

    fn end_of_interrupt(&mut self, level: u8, rotate: bool) {
        self.state.isr &= !(1 << level);
        if rotate {
            self.state.lowest = level;
        }
    }

    fn write_icw1(&mut self, value: u8) {
        let s = &mut self.state;
        s.icw1 = Icw1::from_bits_retain(value);
        s.edges = 0;
        s.isr = 0;
        s.imr = 0;
        s.lowest = 7;
        s.special_mask = false;
        s.rotate_in_aeoi = false;
        s.read_isr = false;
        s.poll = false;
        // "The slave mode address is set to 7."
        s.icw3 = if self.config.master { 0 } else { spec::ICW3_ID };
        s.icw4 = Icw4::empty();
        s.phase = Phase::Icw2;
    }

    fn write_ocw2(&mut self, value: u8) {
        let named = value & spec::OCW2_LEVEL;
        let served = self.highest(self.isr_seen());
        match Ocw2::decode(value) {
            Ocw2::ClearRotateInAeoi => self.state.rotate_in_aeoi = false,
            Ocw2::SetRotateInAeoi => self.state.rotate_in_aeoi = true,
            Ocw2::NoOperation => {}
            Ocw2::NonSpecificEoi => {
                if let Some(level) = served {
                    self.end_of_interrupt(level, false);
                }
            }
            Ocw2::RotateOnNonSpecificEoi => {
                if let Some(level) = served {
                    self.end_of_interrupt(level, true);
                }
            }
            Ocw2::SpecificEoi => self.end_of_interrupt(named, false),
            Ocw2::RotateOnSpecificEoi => self.end_of_interrupt(named, true),
            Ocw2::SetPriority => self.state.lowest = named,
        }
    }

    fn write_ocw3(&mut self, value: Ocw3) {
        if value.contains(Ocw3::ESMM) {
            self.state.special_mask = value.contains(Ocw3::SMM);
        }
        self.state.poll = value.contains(Ocw3::P);
        if value.contains(Ocw3::RR) {
            self.state.read_isr = value.contains(Ocw3::RIS);
        }
    }

    fn write_a1(&mut self, value: u8) {
        let s = &mut self.state;
        let after_icw3 = if s.icw1.contains(Icw1::IC4) {
            Phase::Icw4
        } else {
            Phase::Ready
        };
        match s.phase {
            Phase::Icw2 => {
                s.icw2 = value;
                s.phase = if s.icw1.contains(Icw1::SNGL) {
                    after_icw3
                } else {
                    Phase::Icw3
                };
            }
            Phase::Icw3 => {
                s.icw3 = value;
                s.phase = after_icw3;
            }
            Phase::Icw4 => {
                s.icw4 = Icw4::from_bits_truncate(value);
                s.phase = Phase::Ready;
            }
            Phase::Unprogrammed | Phase::Ready => s.imr = value,
        }
    }

    /// The byte of the second INTA pulse.
    fn vector(&self, level: u8) -> u8 {
        let s = &self.state;
        if s.icw4.contains(Icw4::UPM) {
            return (s.icw2 & spec::ICW2_T) | level;
        }
        let (address, shift) = if s.icw1.contains(Icw1::ADI) {
            (Icw1::A7 | Icw1::A6 | Icw1::A5, 2)
        } else {
            (Icw1::A7 | Icw1::A6, 3)
        };
        (s.icw1 & address).bits() | (level << shift)
    }
}

impl Device for I8259 {
    const KIND: &'static str = "i8259";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        if kind == ResetKind::Init {
            return;
        }
        self.state = State {
            inputs: self.state.inputs,
            lowest: 7,
            ..State::default()
        };
        self.drive_int(cx);
    }
    fn decode(&self, decode: &mut Decode) {
        decode.ports(REGION_CHIP, self.config.base, spec::PORTS, Width::Byte);
        if let Some(elcr) = self.config.elcr {
            decode.ports(REGION_ELCR, elcr.port, 1, Width::Byte);
        }
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
    fn int_ack(&mut self) -> Option<&mut dyn IntAck> {
        Some(self)
    }
}

impl PortIo for I8259 {
    fn port_read(&mut self, at: PortAddr, _width: Width, cx: &mut Cx<'_>) -> u32 {
        if at.region == REGION_ELCR {
            return self.state.elcr.into();
        }
        if std::mem::take(&mut self.state.poll) {
            // "The 8259A treats the next RD pulse as an interrupt acknowledge": at either address.
            return match self.take(true, cx) {
                Some(level) => (spec::POLL_I | level).into(),
                None => 0,
            };
        }
        let value = match at.offset {
            0 if self.state.read_isr => self.state.isr,
            0 => self.irr(),
            _ => self.state.imr,
        };
        value.into()
    }

    fn port_write(&mut self, at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let value = value as u8;
        match (at.region, at.offset) {
            (REGION_ELCR, _) => {
                let writable = self.config.elcr.map_or(0, |e| e.writable);
                self.state.elcr = value & writable;
            }
            (_, 0) if value & Icw1::ICW1.bits() != 0 => self.write_icw1(value),
            (_, 0) if value & Ocw3::OCW3.bits() != 0 => {
                self.write_ocw3(Ocw3::from_bits_retain(value));
            }
            (_, 0) => self.write_ocw2(value),
            _ => self.write_a1(value),
        }
        self.drive_int(cx);
    }
}

impl Inputs for I8259 {
    fn input(&mut self, pin: Pin, high: bool, cx: &mut Cx<'_>) {
        if pin > 7 {
            return;
        }
        let bit = 1u8 << pin;
        let was_high = self.state.inputs & bit != 0;
        if high {
            self.state.inputs |= bit;
            if !was_high {
                self.state.edges |= bit;
            }
        } else {
            self.state.inputs &= !bit;
            self.state.edges &= !bit;
        }
        self.drive_int(cx);
    }
}

impl IntAck for I8259 {
    fn acknowledge(&mut self, cx: &mut Cx<'_>) -> Acknowledge {
        // In MCS-80/85 mode the end is automatic at the third pulse, which an x86 CPU never gives.
        let two_pulses = self.state.icw4.contains(Icw4::UPM);
        let level = self.take(two_pulses, cx).unwrap_or(DEFAULT_LEVEL);
        if self.has_slave(level) {
            Acknowledge::Slave(level)
        } else {
            Acknowledge::Vector(self.vector(level))
        }
    }

    fn answers_to(&self, cascade: u8) -> bool {
        !self.state.icw1.contains(Icw1::SNGL)
            && !self.is_master()
            && self.state.icw3 & spec::ICW3_ID == cascade
    }
}
