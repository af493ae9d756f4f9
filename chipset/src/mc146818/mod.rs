//! The MC146818A real-time clock with CMOS RAM, as PIIX3 has it: a second bank of 128 bytes, and the NMI mask in
//! its index port.
//!
//! Data sheet: Motorola "MC146818A Real-Time Clock Plus RAM (RTC)", ADI-952; for the ports Intel "82371FB (PIIX)
//! and 82371SB (PIIX3)", order number 290550, section 2.5.6.
//!
//! Ports 70h (index and NMI mask, write only), 71h (data), 72h (index of the second bank, write only), 73h (its
//! data). Outputs: IRQ, and NMI mask (high: masked). All follows from the 32.768 kHz crystal and guest time: the
//! host's clock is asked only by whoever passes the initial time.
//!
//! Byte 32h is the century and counts on when the year goes from 99 to 00, as in the parts of PCs that have one (Dallas
//! Semiconductor, "DS12C887 Real-Time Clock", register 32h); in Motorola's chip it is RAM.
//!
//! The divider chain counts crystal cycles. UIP rises where it passes zero, 244 us later an update begins, 1984 us
//! after that it ends: the bytes change, UF is set and UIP falls. A periodic flag is set at the rising edge of its
//! tap, in the middle between two of its zeros.
//!
//! **Not implemented**: the SQW pin, which a PC leaves open (SQWE reads back).
//!
//! **Known inaccuracies**: the time bytes read as before while an update is under way (undefined in the chip).
//! The chain stands still in the divider settings that are for tests only. A time byte that is no valid digit
//! counts as the last one. The second bank is always enabled.

mod calendar;
pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::{Access, Decode, PortKind, Width};
use emu_core::cap::{PortAddr, PortIo, Timers};
use emu_core::event::TimerId;
use emu_core::snapshot::Snapshot;
use emu_core::wire::Line;
use emu_core::{Cx, Device, ResetKind, VirtTime};
use serde::{Deserialize, Serialize};
use serde_big_array::BigArray;
use spec::{B, BANK_BYTES, C, CRYSTAL, Divider, index};

/// Output pins.
#[derive(Copy, Clone, Debug)]
pub struct Wiring {
    /// The interrupt request, active high here.
    pub irq: Line,
    /// High while NMI is masked by port 70h.
    pub nmi_mask: Line,
}

/// What the board decides.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The time at power-on, in seconds since 1970-01-01 00:00:00 (as the guest shall see it: UTC or local).
    pub start_unix_seconds: u64,
    /// Contents of the battery-backed RAM: (index, value); from 80h on the second bank.
    pub cmos: Vec<(u8, u8)>,
}

const REGION_INDEX: u16 = 0;
const REGION_DATA: u16 = 1;
const REGION_INDEX_2: u16 = 2;
const REGION_DATA_2: u16 = 3;

const TIMER_UPDATE: TimerId = 0;
const TIMER_PERIODIC: TimerId = 1;

/// More updates than this are never due at once, but in a damaged snapshot: the rest is dropped.
const UPDATES_AT_ONCE_MAX: u64 = 100_000;

/// All that changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    /// Time, alarm and RAM; the places of registers A to D are not used.
    #[serde(with = "BigArray")]
    bank: [u8; BANK_BYTES],
    #[serde(with = "BigArray")]
    bank_2: [u8; BANK_BYTES],
    index: u8,
    index_2: u8,
    nmi_mask: bool,
    a: u8,
    b: B,
    c: C,
    /// When the divider chain was started ...
    chain_epoch: VirtTime,
    /// ... and where it stood then, in crystal cycles.
    chain_phase: u64,
    /// Ends of updates that the chain has passed.
    updates: u64,
    /// Up to where the chain was searched for periodic edges.
    periodic_seen: u64,
    /// Daylight saving's extra hour was given today.
    fell_back: bool,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
    fn validate(&self) -> Result<(), &'static str> {
        if self.index > spec::PORT_INDEX || self.index_2 > spec::PORT_INDEX {
            return Err("an index lies past the end of its bank");
        }
        Ok(())
    }
}

/// The chip.
#[derive(Debug)]
pub struct Mc146818 {
    wiring: Wiring,
    state: State,
}

impl Mc146818 {
    /// A chip whose battery kept the time and the bytes given.
    pub fn new(wiring: Wiring, config: &Config) -> Self {
        let mut bank = [0; BANK_BYTES];
        let mut bank_2 = [0; BANK_BYTES];
        calendar::set_from_unix(&mut bank, config.start_unix_seconds);
        for &(at, value) in &config.cmos {
            let at = usize::from(at);
            match at.checked_sub(BANK_BYTES) {
                Some(at) => bank_2[at] = value,
                None => bank[at] = value,
            }
        }
        Self {
            wiring,
            state: State {
                bank,
                bank_2,
                index: 0,
                index_2: 0,
                nmi_mask: true,
                // 32.768 kHz and 1024 Hz, as a PC's BIOS leaves it.
                a: 0x26,
                b: B::H24,
                c: C::empty(),
                chain_epoch: VirtTime::ZERO,
                chain_phase: Self::phase_after_release(Divider::Khz32),
                updates: 1,
                periodic_seen: Self::phase_after_release(Divider::Khz32),
                fell_back: false,
            },
        }
    }

    /// A byte of the battery-backed RAM, for the board; from 80h on of the second bank.
    pub fn cmos(&self, at: u8) -> u8 {
        let at = usize::from(at);
        match at.checked_sub(BANK_BYTES) {
            Some(at) => self.state.bank_2[at],
            None => self.state.bank[at],
        }
    }

    /// "The first update cycle begins one-half second" after the divider leaves its reset.
    fn phase_after_release(divider: Divider) -> u64 {
        divider.cycles_per_update() / 2 + divider.cycles_before_update()
    }

    fn divider(&self) -> Divider {
        Divider::decode(self.state.a)
    }

    /// Where the chain stands.
    fn chain(&self, now: VirtTime) -> u64 {
        if !self.divider().runs() {
            return self.state.chain_phase;
        }
        let cycles = CRYSTAL.ticks_at(self.state.chain_epoch, now);
        self.state.chain_phase.saturating_add(cycles)
    }

    fn time_of_chain(&self, count: u64) -> VirtTime {
        let cycles = count.saturating_sub(self.state.chain_phase);
        CRYSTAL.time_of(self.state.chain_epoch, cycles)
    }

    /// Where in the chain's period an update ends.
    fn update_end(divider: Divider) -> u64 {
        divider.cycles_before_update() + divider.update_cycles()
    }

    /// How many ends of updates lie at or before `chain`.
    fn updates_by(&self, chain: u64) -> u64 {
        let d = self.divider();
        match chain.checked_sub(Self::update_end(d)) {
            Some(behind) => behind / d.cycles_per_update() + 1,
            None => 0,
        }
    }

    /// Brings everything up to the present.
    fn catch_up(&mut self, now: VirtTime) {
        let d = self.divider();
        if !d.runs() {
            return;
        }
        let chain = self.chain(now);
        if let Some(period) = d.periodic_cycles(self.state.a) {
            let edges_by = |count: u64| count.saturating_add(period / 2) / period;
            if edges_by(chain) > edges_by(self.state.periodic_seen) {
                self.state.c |= C::PF;
            }
        }
        self.state.periodic_seen = chain;
        let updates = self.updates_by(chain);
        let due = updates.saturating_sub(self.state.updates);
        self.state.updates = updates;
        if self.state.b.contains(B::SET) {
            return;
        }
        for _ in 0..due.min(UPDATES_AT_ONCE_MAX) {
            let s = &mut self.state;
            calendar::advance_one_second(&mut s.bank, s.b, &mut s.fell_back);
            s.c |= C::UF;
            if calendar::alarm_matches(&s.bank) {
                s.c |= C::AF;
            }
        }
    }

    /// Drives IRQ and arms the timers.
    fn drive(&mut self, cx: &mut Cx<'_>) {
        let enabled = self.state.b.bits() & self.state.c.bits();
        let irq = enabled & (C::UF | C::AF | C::PF).bits() != 0;
        self.state.c.set(C::IRQF, irq);
        cx.set_line(self.wiring.irq, irq);
        cx.set_line(self.wiring.nmi_mask, self.state.nmi_mask);
        let d = self.divider();
        if d.runs() && !self.state.b.contains(B::SET) {
            let next = self
                .state
                .updates
                .saturating_mul(d.cycles_per_update())
                .saturating_add(Self::update_end(d));
            self.arm(TIMER_UPDATE, next, cx);
        } else {
            cx.disarm(TIMER_UPDATE);
        }
        match d.periodic_cycles(self.state.a) {
            Some(period)
                if d.runs() && self.state.b.contains(B::PIE) && !self.state.c.contains(C::PF) =>
            {
                let edges = self.state.periodic_seen.saturating_add(period / 2) / period;
                let next = edges.saturating_mul(period).saturating_add(period / 2);
                self.arm(TIMER_PERIODIC, next, cx);
            }
            _ => cx.disarm(TIMER_PERIODIC),
        }
    }

    fn arm(&self, timer: TimerId, chain: u64, cx: &mut Cx<'_>) {
        let at = self.time_of_chain(chain);
        if cx.armed(timer) != Some(at) {
            cx.arm(timer, at);
        }
    }

    fn update_in_progress(&self, now: VirtTime) -> bool {
        let d = self.divider();
        d.runs()
            && !self.state.b.contains(B::SET)
            && self.chain(now) % d.cycles_per_update() < Self::update_end(d)
    }

    fn read(&mut self, at: usize, now: VirtTime) -> u8 {
        match at {
            index::A if self.update_in_progress(now) => self.state.a | spec::A_UIP,
            index::A => self.state.a,
            index::B => self.state.b.bits(),
            index::C => std::mem::take(&mut self.state.c).bits(),
            index::D => spec::D_VRT,
            _ => self.state.bank[at],
        }
    }

    fn write(&mut self, at: usize, value: u8, now: VirtTime) {
        match at {
            index::SECONDS => self.state.bank[at] = value & spec::SECONDS_WRITABLE,
            index::A => self.write_a(value & spec::A_WRITABLE, now),
            index::B => {
                let mut b = B::from_bits_retain(value);
                if b.contains(B::SET) && !self.state.b.contains(B::SET) {
                    b.remove(B::UIE);
                }
                self.state.b = b;
            }
            index::C | index::D => {}
            _ => self.state.bank[at] = value,
        }
    }

    fn write_a(&mut self, value: u8, now: VirtTime) {
        let from = self.divider();
        let to = Divider::decode(value);
        if from != to {
            let chain = match to {
                Divider::Reset => 0,
                _ if from == Divider::Reset => Self::phase_after_release(to),
                _ => self.chain(now),
            };
            self.state.chain_phase = chain;
            self.state.chain_epoch = now;
            self.state.periodic_seen = chain;
            self.state.a = value;
            self.state.updates = self.updates_by(chain);
        }
        self.state.a = value;
    }
}

impl Device for Mc146818 {
    const KIND: &'static str = "mc146818";
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
        // Section "Reset": the battery keeps time, RAM and register A; enables and flags are cleared.
        self.catch_up(cx.now());
        self.state.b -= B::PIE | B::AIE | B::UIE | B::SQWE;
        self.state.c = C::empty();
        self.state.nmi_mask = true;
        self.drive(cx);
    }
    fn decode(&self, decode: &mut Decode) {
        let mut index = |region, port| {
            let kind = PortKind::Registers(region);
            decode.ports_with(kind, port, 1, Width::Byte, Access::Write);
        };
        index(REGION_INDEX, 0x70);
        index(REGION_INDEX_2, 0x72);
        decode.ports(REGION_DATA, 0x71, 1, Width::Byte);
        decode.ports(REGION_DATA_2, 0x73, 1, Width::Byte);
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Some(self)
    }
}

impl PortIo for Mc146818 {
    fn port_read(&mut self, at: PortAddr, _width: Width, cx: &mut Cx<'_>) -> u32 {
        match at.region {
            REGION_DATA => {
                self.catch_up(cx.now());
                let value = self.read(self.state.index.into(), cx.now());
                self.drive(cx);
                value.into()
            }
            REGION_DATA_2 => self.state.bank_2[usize::from(self.state.index_2)].into(),
            _ => u32::MAX,
        }
    }

    fn port_write(&mut self, at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let value = value as u8;
        match at.region {
            REGION_INDEX => {
                self.state.index = value & spec::PORT_INDEX;
                self.state.nmi_mask = value & spec::PORT_NMI_MASK != 0;
                cx.set_line(self.wiring.nmi_mask, self.state.nmi_mask);
            }
            REGION_INDEX_2 => self.state.index_2 = value & spec::PORT_INDEX,
            REGION_DATA_2 => self.state.bank_2[usize::from(self.state.index_2)] = value,
            _ => {
                self.catch_up(cx.now());
                self.write(self.state.index.into(), value, cx.now());
                self.drive(cx);
            }
        }
    }
}

impl Timers for Mc146818 {
    fn expired(&mut self, _timer: TimerId, cx: &mut Cx<'_>) {
        self.catch_up(cx.now());
        self.drive(cx);
    }
}
