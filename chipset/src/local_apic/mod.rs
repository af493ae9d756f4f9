//! A CPU's local APIC.
//!
//! **What it is**: the interrupt controller inside a CPU, from the P6 family on: Intel 64 and IA-32 Architectures
//! Software Developer's Manual, volume 3, order number 325384, chapter "Advanced Programmable Interrupt Controller
//! (APIC)". One for each CPU; the family ([`Family`]) decides on its registers.
//!
//! **Memory**: one page at FEE00000h, which IA32_APIC_BASE moves; in x2APIC mode MSRs 800h to 83Fh instead.
//! **Wires in**: LINT0 and LINT1 (a PC leads the 8259A's INTR and NMI there), the performance counters' and the thermal
//! sensor's interrupts ([`pin`]). **Wires out**: to the CPU's core: INTR, NMI, SMI, INIT. Messages to and from other
//! APICs go over the board ([`ApicAgent`]).
//!
//! After reset the APIC is enabled in IA32_APIC_BASE but not by software: the LVT is masked, so an 8259A at LINT0 is not
//! heard until firmware sets up the virtual wire, unless the board has it so from reset on ([`Config::virtual_wire`]).
//! Disabled in IA32_APIC_BASE, LINT0 and LINT1 are INTR and NMI.
//!
//! **Not implemented**
//! - The wait for a start-up message: one CPU is alone, so it is the bootstrap processor, which does not wait; a start-up
//!   message to it is accepted and has no effect. IA32_APIC_BASE's BSP bit keeps what it is.
//! - Remote reads (delivery mode 3 of the P6 family), arbitration IDs, bus checksums: their error bits stay clear.
//! - Interrupts by memory write from devices (MSI): the page is not seen by bus masters.
//!
//! **Known inaccuracies**
//! - Messages arrive at once: delivery status always reads "idle".
//! - A P6 family part keeps one request of a vector and one in service, as later ones do, but does not refuse a third
//!   one of the same priority level.
//! - Writes of less than 32 bits are ignored; reads of less give that part. The manual leaves both open.

mod registers;
pub mod spec;
#[cfg(test)]
mod tests;
mod timer;
mod vectors;
mod x2apic;

use emu_core::backend::LapicRegister;
use emu_core::bus::{Access, Decode, MemoryTarget, SmmView, Width};
use emu_core::cap::{
    Acknowledge, ApicAgent, ApicCycle, ApicDelivery, ApicDestination, ApicMessage, Inputs, IntAck,
    LocalApic, Mmio, Timers,
};
use emu_core::event::TimerId;
use emu_core::snapshot::Snapshot;
use emu_core::wire::Pin;
use emu_core::{Cx, Device, Frequency, Line, ResetKind, VirtTime};
use serde::{Deserialize, Serialize};
use spec::{Errors, Family, Lvt, delivery};
use timer::Timer;
use vectors::Vectors;

/// The input pins.
pub mod pin {
    use emu_core::wire::Pin;
    /// LINT0 (INTR while the APIC is disabled).
    pub const LINT0: Pin = 0;
    /// LINT1 (NMI while the APIC is disabled).
    pub const LINT1: Pin = 1;
    /// An overflow of a performance counter: an edge.
    pub const PERFORMANCE: Pin = 2;
    /// The thermal sensor: an edge.
    pub const THERMAL: Pin = 3;
}

const TIMER: TimerId = 0;

/// To the CPU's core.
#[derive(Copy, Clone, Debug)]
pub struct Wiring {
    /// An interrupt is to be acknowledged: a level.
    pub intr: Line,
    /// A pulse.
    pub nmi: Line,
    /// A pulse.
    pub smi: Line,
    /// A pulse.
    pub init: Line,
}

/// What the board decides.
#[derive(Copy, Clone, Debug)]
pub struct Config {
    /// The family.
    pub family: Family,
    /// Whether the timer can wait for the time-stamp counter (CPUID.01H:ECX[24]).
    pub tsc_deadline: bool,
    /// The ID after reset.
    pub id: u32,
    /// Whether this is the bootstrap processor's.
    pub bootstrap: bool,
    /// Not the manual's: after reset LINT0 is ExtINT and open, as firmware would leave it. Firmware that was written for
    /// emulators (Bochs' BIOS) enables the APIC, never touches LINT0 and goes on by the 8259A's interrupts.
    pub virtual_wire: bool,
    /// The clock that the timer divides: the bus clock, or the crystal's.
    pub clock: Frequency,
}

/// What a guest can change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    /// IA32_APIC_BASE.
    base: u64,
    id: u32,
    tpr: u8,
    ldr: u32,
    dfr: u32,
    svr: u32,
    isr: Vectors,
    tmr: Vectors,
    irr: Vectors,
    /// The error status register, and the errors since it was last written.
    esr: u32,
    errors: u32,
    icr: u64,
    lvt: [u32; 7],
    /// Levels at LINT0 and LINT1.
    lint: [bool; 2],
    /// An ExtINT message waits to be acknowledged.
    ext_int: bool,
    timer: Timer,
    /// IA32_TSC_DEADLINE, in the board's cycles.
    deadline: u64,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
    fn validate(&self) -> Result<(), &'static str> {
        let base = spec::BASE_BSP | spec::BASE_X2APIC | spec::BASE_ENABLE | spec::BASE_ADDRESS;
        if self.base & !base != 0 {
            return Err("the registers cannot stand there");
        }
        Ok(())
    }
}

/// How the registers are reached.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Mode {
    Disabled,
    Xapic,
    X2apic,
}

/// The local APIC.
#[derive(Debug)]
pub struct LocalApicUnit {
    wiring: Wiring,
    config: Config,
    state: State,
}

fn pulse(line: Line, cx: &mut Cx<'_>) {
    cx.set_line(line, true);
    cx.set_line(line, false);
}

impl LocalApicUnit {
    /// A local APIC, wired.
    pub fn new(wiring: Wiring, config: Config) -> Self {
        let state = Self::reset_state(&config);
        Self {
            wiring,
            config,
            state,
        }
    }

    /// After power-up or reset (section 11.4.7.1).
    fn reset_state(config: &Config) -> State {
        let bsp = if config.bootstrap { spec::BASE_BSP } else { 0 };
        let mut lvt = [spec::LVT_RESET; 7];
        if config.virtual_wire {
            lvt[Lvt::Lint0 as usize] = delivery::EXT_INT << spec::DELIVERY_SHIFT;
        }
        State {
            base: spec::DEFAULT_BASE | spec::BASE_ENABLE | bsp,
            id: config.id,
            tpr: 0,
            ldr: 0,
            dfr: u32::MAX,
            svr: spec::SVR_RESET,
            isr: Vectors::default(),
            tmr: Vectors::default(),
            irr: Vectors::default(),
            esr: 0,
            errors: 0,
            icr: 0,
            lvt,
            lint: [false; 2],
            ext_int: false,
            timer: Timer::default(),
            deadline: 0,
        }
    }

    /// INIT, and what disabling in IA32_APIC_BASE leaves: the state after reset, but for the ID and the base (section
    /// 11.4.7.3). The pins are driven from outside.
    fn clear(&mut self, cx: &mut Cx<'_>) {
        self.state = State {
            base: self.state.base,
            id: self.state.id,
            lint: self.state.lint,
            ..Self::reset_state(&self.config)
        };
        if self.mode() == Mode::X2apic {
            self.state.ldr = x2apic::logical_id(self.state.id);
        }
        cx.disarm(TIMER);
        self.update(cx);
    }

    fn mode(&self) -> Mode {
        let base = self.state.base;
        if base & spec::BASE_ENABLE == 0 {
            Mode::Disabled
        } else if base & spec::BASE_X2APIC == 0 {
            Mode::Xapic
        } else {
            Mode::X2apic
        }
    }

    fn software_enabled(&self) -> bool {
        self.state.svr & spec::SVR_ENABLE != 0
    }

    fn lvt(&self, entry: Lvt) -> u32 {
        self.state.lvt[entry as usize]
    }

    // ---- Priorities (section 11.8.3)

    fn ppr(&self) -> u8 {
        let (tpr, isr) = (self.state.tpr, self.state.isr.highest().unwrap_or(0));
        if tpr >> 4 >= isr >> 4 {
            tpr
        } else {
            isr & 0xF0
        }
    }

    fn apr(&self) -> u8 {
        let tpr = self.state.tpr;
        let isr = self.state.isr.highest().unwrap_or(0);
        let irr = self.state.irr.highest().unwrap_or(0);
        if tpr >> 4 >= irr >> 4 && tpr >> 4 > isr >> 4 {
            tpr
        } else {
            (tpr & isr & 0xF0).max(irr & 0xF0)
        }
    }

    /// The vector that would be delivered now.
    fn deliverable(&self) -> Option<u8> {
        let vector = self.state.irr.highest()?;
        (vector >> 4 > self.ppr() >> 4).then_some(vector)
    }

    /// Whether the 8259A asks, through a pin or a message.
    fn external_request(&self) -> bool {
        let through = |entry: Lvt, pin: usize| {
            let lvt = self.lvt(entry);
            let ext_int = lvt & spec::DELIVERY == delivery::EXT_INT << spec::DELIVERY_SHIFT;
            ext_int && lvt & spec::LVT_MASKED == 0 && self.lint_active(entry, pin)
        };
        self.state.ext_int || through(Lvt::Lint0, 0) || through(Lvt::Lint1, 1)
    }

    /// Brings INTR in line with the registers.
    fn update(&mut self, cx: &mut Cx<'_>) {
        let intr = match self.mode() {
            Mode::Disabled => self.state.lint[0],
            _ => self.deliverable().is_some() || self.external_request(),
        };
        cx.set_line(self.wiring.intr, intr);
    }

    // ---- Interrupts coming in

    /// Notes an error (section 11.5.3).
    fn error(&mut self, error: Errors) {
        let fresh = self.state.errors & error.bits() == 0;
        self.state.errors |= error.bits();
        let lvt = self.lvt(Lvt::Error);
        if fresh && lvt & spec::LVT_MASKED == 0 {
            let vector = lvt as u8;
            if vector >= spec::FIRST_VECTOR {
                self.request(vector, false);
            } else {
                self.state.errors |= Errors::RECEIVE_ILLEGAL_VECTOR.bits();
            }
        }
    }

    fn request(&mut self, vector: u8, level: bool) {
        self.state.irr.set(vector, true);
        self.state.tmr.set(vector, level);
    }

    /// Accepts an interrupt at a vector; false: there is no such one.
    fn accept(&mut self, vector: u8, level: bool) -> bool {
        if vector < spec::FIRST_VECTOR {
            self.error(Errors::RECEIVE_ILLEGAL_VECTOR);
            return false;
        }
        self.request(vector, level);
        true
    }

    /// A local source asks through its LVT entry: an edge.
    fn local_interrupt(&mut self, entry: Lvt, cx: &mut Cx<'_>) {
        let lvt = self.lvt(entry);
        if lvt & spec::LVT_MASKED != 0 {
            return;
        }
        let mode = match entry {
            Lvt::Timer | Lvt::Error => delivery::FIXED,
            _ => (lvt & spec::DELIVERY) >> spec::DELIVERY_SHIFT,
        };
        match mode {
            delivery::FIXED => {
                self.accept(lvt as u8, false);
            }
            delivery::SMI => pulse(self.wiring.smi, cx),
            delivery::NMI => pulse(self.wiring.nmi, cx),
            delivery::INIT => pulse(self.wiring.init, cx),
            // ExtINT is a level, see `external_request`; the others are reserved.
            _ => {}
        }
    }

    fn lint_active(&self, entry: Lvt, pin: usize) -> bool {
        self.state.lint[pin] != (self.lvt(entry) & spec::LVT_ACTIVE_LOW != 0)
    }

    /// A LINT pin in fixed mode that is level triggered asks as long as it is active and not being served.
    fn poll_levels(&mut self) {
        for (entry, pin) in [(Lvt::Lint0, 0), (Lvt::Lint1, 1)] {
            let lvt = self.lvt(entry);
            let asks = lvt & spec::LVT_LEVEL != 0
                && lvt & (spec::DELIVERY | spec::LVT_MASKED | spec::LVT_REMOTE_IRR) == 0
                && self.lint_active(entry, pin);
            if asks && self.accept(lvt as u8, true) {
                self.state.lvt[entry as usize] |= spec::LVT_REMOTE_IRR;
            }
        }
    }

    fn eoi(&mut self, cx: &mut Cx<'_>) {
        let Some(vector) = self.state.isr.highest() else {
            return;
        };
        self.state.isr.set(vector, false);
        if !self.state.tmr.contains(vector) {
            return;
        }
        for entry in [Lvt::Lint0, Lvt::Lint1] {
            let lvt = &mut self.state.lvt[entry as usize];
            if *lvt as u8 == vector {
                *lvt &= !spec::LVT_REMOTE_IRR;
            }
        }
        self.poll_levels();
        if self.state.svr & spec::SVR_SUPPRESS_EOI == 0 {
            cx.apic_send(ApicCycle::EndOfInterrupt(vector));
        }
    }

    // ---- Interrupts going out

    /// Sends what the interrupt command register says (section 11.6.1).
    fn command(&mut self, cx: &mut Cx<'_>) {
        let low = self.state.icr as u32;
        let high = (self.state.icr >> 32) as u32;
        let vector = low as u8;
        let delivery = match (low & spec::DELIVERY) >> spec::DELIVERY_SHIFT {
            delivery::FIXED => ApicDelivery::Fixed,
            delivery::LOWEST_PRIORITY => ApicDelivery::LowestPriority,
            delivery::SMI => ApicDelivery::Smi,
            delivery::NMI => ApicDelivery::Nmi,
            // De-assert only tells older APICs to synchronize their arbitration IDs.
            delivery::INIT if low & (spec::ICR_LEVEL | spec::ICR_ASSERT) == spec::ICR_LEVEL => {
                return;
            }
            delivery::INIT => ApicDelivery::Init,
            delivery::STARTUP => ApicDelivery::Startup,
            _ => return,
        };
        let fixed = matches!(delivery, ApicDelivery::Fixed | ApicDelivery::LowestPriority);
        if fixed && vector < spec::FIRST_VECTOR {
            self.error(Errors::SEND_ILLEGAL_VECTOR);
            return;
        }
        let destination = match low >> spec::ICR_SHORTHAND_SHIFT & 3 {
            0 => self.icr_destination(low & spec::ICR_LOGICAL != 0, high),
            // To oneself: only fixed interrupts can be sent so (table 11-3).
            1 => {
                if delivery == ApicDelivery::Fixed {
                    self.accept(vector, false);
                }
                return;
            }
            2 => ApicDestination::All,
            _ => ApicDestination::Others,
        };
        cx.apic_send(ApicCycle::Interrupt(ApicMessage {
            destination,
            delivery,
            vector,
            level: false,
            tag: 0,
        }));
    }

    fn icr_destination(&self, logical: bool, high: u32) -> ApicDestination {
        let x2apic = self.mode() == Mode::X2apic;
        let to = if x2apic { high } else { high >> 24 };
        if x2apic && to == u32::MAX {
            return ApicDestination::All;
        }
        if logical {
            return ApicDestination::Logical(to);
        }
        let broadcast = self.config.family.broadcast();
        if !x2apic && to & broadcast == broadcast {
            ApicDestination::All
        } else {
            ApicDestination::Physical(if x2apic { to } else { to & broadcast })
        }
    }

    fn is_addressed(&self, to: ApicDestination) -> bool {
        match to {
            ApicDestination::All | ApicDestination::Others => true,
            ApicDestination::Physical(id) => id == self.state.id,
            ApicDestination::Logical(to) if self.mode() == Mode::X2apic => {
                let mine = self.state.ldr;
                to >> 16 == mine >> 16 && to & mine & 0xFFFF != 0
            }
            ApicDestination::Logical(to) => {
                let mine = self.state.ldr >> 24;
                if self.state.dfr & spec::DFR_MODEL == spec::DFR_CLUSTER {
                    let cluster = to >> 4 & 0xF;
                    (cluster == 0xF || cluster == mine >> 4) && to & mine & 0xF != 0
                } else {
                    to & mine != 0
                }
            }
        }
    }
}

impl Device for LocalApicUnit {
    const KIND: &'static str = "local_apic";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        if kind != ResetKind::Init {
            self.state.base = Self::reset_state(&self.config).base;
            self.state.id = self.config.id;
            cx.request_remap();
        }
        self.clear(cx);
    }

    fn decode(&self, decode: &mut Decode) {
        if self.mode() == Mode::Xapic {
            decode.memory_range(
                self.state.base & spec::BASE_ADDRESS,
                spec::BYTES,
                Access::ReadWrite,
                SmmView::Always,
                Decode::PRIORITY_CPU,
                MemoryTarget::Mmio {
                    region: 0,
                    native: Width::Dword,
                },
            );
        }
    }

    fn mmio(&mut self) -> Option<&mut dyn Mmio> {
        Some(self)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Some(self)
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
    fn int_ack(&mut self) -> Option<&mut dyn IntAck> {
        Some(self)
    }
    fn apic_agent(&mut self) -> Option<&mut dyn ApicAgent> {
        Some(self)
    }
    fn local_apic(&mut self) -> Option<&mut dyn LocalApic> {
        Some(self)
    }
}

impl LocalApic for LocalApicUnit {
    fn read(&mut self, register: LapicRegister, cx: &mut Cx<'_>) -> Option<u64> {
        match register {
            LapicRegister::Base => Some(self.state.base),
            LapicRegister::Cr8 => Some(u64::from(self.state.tpr >> 4)),
            LapicRegister::TscDeadline if self.config.tsc_deadline => Some(self.state.deadline),
            LapicRegister::TscDeadline => None,
            LapicRegister::X2apic(_) => self.read_x2apic(register, cx.now()),
        }
    }

    fn write(
        &mut self,
        register: LapicRegister,
        value: u64,
        deadline: VirtTime,
        cx: &mut Cx<'_>,
    ) -> bool {
        let done = match register {
            LapicRegister::Base => self.write_base(value, cx),
            LapicRegister::Cr8 if value < 16 => {
                self.state.tpr = (value as u8) << 4;
                true
            }
            LapicRegister::Cr8 => false,
            LapicRegister::TscDeadline if self.config.tsc_deadline => {
                self.write_deadline(value, deadline, cx);
                true
            }
            LapicRegister::TscDeadline => false,
            LapicRegister::X2apic(_) => self.write_x2apic(register, value, cx),
        };
        self.update(cx);
        done
    }
}

impl Timers for LocalApicUnit {
    fn expired(&mut self, _timer: TimerId, cx: &mut Cx<'_>) {
        if self.waits_for_tsc() {
            self.state.deadline = 0;
        }
        self.local_interrupt(Lvt::Timer, cx);
        self.arm_timer(cx);
        self.update(cx);
    }
}

impl Inputs for LocalApicUnit {
    fn input(&mut self, input: Pin, high: bool, cx: &mut Cx<'_>) {
        let entry = match input {
            pin::LINT0 => Lvt::Lint0,
            pin::LINT1 => Lvt::Lint1,
            pin::PERFORMANCE => Lvt::Performance,
            pin::THERMAL if self.config.family.has(Lvt::Thermal) => Lvt::Thermal,
            _ => return,
        };
        if matches!(input, pin::PERFORMANCE | pin::THERMAL) {
            if high && self.mode() != Mode::Disabled {
                self.local_interrupt(entry, cx);
                // From the Pentium 4 on such an interrupt masks its entry (section 11.5.1, "Interrupt Mask").
                if entry == Lvt::Performance && self.config.family != Family::P6 {
                    self.state.lvt[entry as usize] |= spec::LVT_MASKED;
                }
            }
        } else {
            let place = usize::from(input);
            let was = self.state.lint[place];
            self.state.lint[place] = high;
            if self.mode() == Mode::Disabled {
                if entry == Lvt::Lint1 && high && !was {
                    pulse(self.wiring.nmi, cx);
                }
            } else if was != high && self.lint_active(entry, place) {
                let lvt = self.lvt(entry);
                let level = lvt & spec::LVT_LEVEL != 0 && lvt & spec::DELIVERY == 0;
                if !level {
                    self.local_interrupt(entry, cx);
                }
            }
            self.poll_levels();
        }
        self.update(cx);
    }
}

impl IntAck for LocalApicUnit {
    fn acknowledge(&mut self, cx: &mut Cx<'_>) -> Acknowledge {
        if self.mode() == Mode::Disabled {
            return Acknowledge::External;
        }
        let answer = if let Some(vector) = self.deliverable() {
            self.state.irr.set(vector, false);
            self.state.isr.set(vector, true);
            Acknowledge::Vector(vector)
        } else if self.external_request() {
            self.state.ext_int = false;
            Acknowledge::External
        } else {
            // The request has gone, by a write to the task priority (section 11.9).
            Acknowledge::Vector(self.state.svr as u8)
        };
        self.update(cx);
        answer
    }
}

impl ApicAgent for LocalApicUnit {
    fn rank(&self, message: &ApicMessage) -> Option<u8> {
        if self.mode() == Mode::Disabled || !self.is_addressed(message.destination) {
            return None;
        }
        if message.delivery != ApicDelivery::LowestPriority {
            return Some(0);
        }
        // The focus processor is the one that has the interrupt already (section 11.6.2.4).
        let has =
            self.state.irr.contains(message.vector) || self.state.isr.contains(message.vector);
        let focus = has && self.state.svr & spec::SVR_NO_FOCUS == 0;
        let rank = if focus { 0 } else { self.apr() };
        self.software_enabled().then_some(rank)
    }

    fn receive(&mut self, message: &ApicMessage, cx: &mut Cx<'_>) -> bool {
        let accepted = match message.delivery {
            ApicDelivery::Smi => {
                pulse(self.wiring.smi, cx);
                true
            }
            ApicDelivery::Nmi => {
                pulse(self.wiring.nmi, cx);
                true
            }
            ApicDelivery::Init => {
                pulse(self.wiring.init, cx);
                true
            }
            ApicDelivery::Startup => true,
            // Disabled by software it takes nothing else (section 11.4.7.2).
            _ if !self.software_enabled() => false,
            ApicDelivery::ExtInt => {
                self.state.ext_int = true;
                true
            }
            ApicDelivery::Fixed | ApicDelivery::LowestPriority => {
                self.accept(message.vector, message.level)
            }
        };
        self.update(cx);
        accepted
    }

    fn sent(&mut self, _tag: u8, accepted: bool, cx: &mut Cx<'_>) {
        if !accepted && self.config.family == Family::P6 {
            self.error(Errors::SEND_ACCEPT);
            self.update(cx);
        }
    }

    fn end_of_interrupt(&mut self, _vector: u8, _cx: &mut Cx<'_>) {}
}
