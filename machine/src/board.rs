//! The board: the devices, the fabric between them, the clock, and what each CPU's pins say.
//!
//! One thread at a time owns a board. After every call into a device the board *settles*: wire transitions are
//! delivered in the order in which they happened, posted writes reach their devices, requests are acted on.
//! Nothing is re-entered, and each loop has a bound that names the culprit instead of hanging.

use crate::inputs::{InputQueue, InputRecord, SerialByte};
use crate::router::DevicePages;
use emu_core::backend::{Attention, CpuId, CpuPin};
use emu_core::bus::{Decode, Gpa};
use emu_core::cap::{Acknowledge, DmaCycle, DmaTransfer, TextScreen};
use emu_core::cx::{Cx, Fabric, Requests, ResetKind};
use emu_core::device::{DeviceId, DynDevice};
use emu_core::host::{Frame, HostEvent};
use emu_core::ram::Ram;
use emu_core::time::{Frequency, InsnClock, VirtTime};
use emu_core::wire::{Line, Sink};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The published rate of the deterministic clock of every machine: instructions per guest second.
pub const DEFAULT_INSNS_PER_SECOND: u64 = 100_000_000;

/// The most wire transitions that one call may cause. A board has a few dozen nets; a call that causes more than
/// this has started a ring of gates that feed each other.
const TRANSITIONS_MAX: usize = 1_000_000;
/// The most events that may fire at one moment.
const EVENTS_AT_ONE_MOMENT_MAX: usize = 1_000_000;
/// The most DMA cycles that run at one moment; the others follow after [`DMA_PAUSE_NS`].
const DMA_CYCLES_AT_ONE_MOMENT: usize = 1 << 17;
/// How long a DMA controller that would hold the bus for ever is made to wait.
const DMA_PAUSE_NS: u64 = 10_000;
/// The owner of the board's own events.
pub(crate) const BOARD: DeviceId = DeviceId(u16::MAX);
/// The board's own event: go on with DMA.
const TIMER_DMA: u16 = 0;

/// A defect in the wiring of a board that shows itself only while it runs.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BoardFault {
    /// Wires that feed each other.
    #[error("the wires never settle: net {0} keeps changing")]
    WireLoop(String),
    /// A device that arms a timer for now, for ever.
    #[error("the device {0} keeps arming a timer that is due at once")]
    EventLoop(String),
}

/// What a device is to the board besides its addresses and wires.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roles {
    /// The interrupt controller that answers INTA first.
    pub pic_master: Option<DeviceId>,
    /// Its slaves by cascade number.
    pub pic_slaves: [Option<DeviceId>; 8],
    /// The local APICs, by CPU.
    pub local_apics: Vec<DeviceId>,
    /// All APICs: what one of them sends goes to these.
    pub apics: Vec<DeviceId>,
    /// The ISA DMA controller.
    pub dma_controller: Option<DeviceId>,
    /// Peripherals by DMA channel.
    pub dma_channels: [Option<DeviceId>; 8],
    /// PCI functions of bus 0 by (device, function).
    pub pci: BTreeMap<(u8, u8), DeviceId>,
    /// Devices that take keys, mouse movements, media.
    pub host_inputs: Vec<DeviceId>,
    /// Serial ports in the order of their COM numbers.
    pub serial_ports: Vec<DeviceId>,
    /// The display.
    pub display: Option<DeviceId>,
    /// The line on which each CPU's FERR# goes out.
    pub ferr: Option<Line>,
    /// The line on which each CPU's performance counters tell its local APIC of an overflow.
    pub counter_overflow: Option<Line>,
}

/// A device with the name that the board gives it.
pub(crate) struct Slot {
    pub name: String,
    pub device: Box<dyn DynDevice>,
}

/// A board.
pub struct Board {
    pub(crate) slots: Vec<Slot>,
    pub(crate) fabric: Fabric,
    pub(crate) clock: InsnClock,
    pub(crate) blocks: Vec<Ram>,
    /// Code may have been written over in some block.
    code_written: Arc<AtomicBool>,
    pub(crate) roles: Roles,
    pub(crate) attention: Attention,
    pub(crate) inputs: InputQueue,
    /// The instruction count at which the next event, input or end of slice is due.
    due_insns: u64,
    /// The instruction count at which the next event or input is due.
    event_insns: u64,
    event_deadline: VirtTime,
    slice_end_insns: u64,
    pub(crate) outcome: Outcome,
    pub(crate) fault: Option<BoardFault>,
    pub(crate) shutdown_resets: bool,
    pub(crate) stop_on_frame: bool,
    /// Accesses that nobody answered, for the rate limit of their log.
    pub(crate) unclaimed: u64,
    /// Which devices answer at pages that were asked for lately, until the map changes.
    pub(crate) device_pages: DevicePages,
}

/// What the devices asked of the run loop.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Outcome {
    pub frame_ready: bool,
    pub power_off: bool,
    pub exit: Option<u8>,
    pub triple_fault: bool,
}

impl Board {
    pub(crate) fn new(
        slots: Vec<Slot>,
        fabric: Fabric,
        blocks: Vec<Ram>,
        roles: Roles,
        rate: Frequency,
    ) -> Self {
        let mut board = Self {
            slots,
            fabric,
            clock: InsnClock::new(rate),
            blocks,
            code_written: Arc::default(),
            roles,
            attention: Attention::empty(),
            inputs: InputQueue::default(),
            due_insns: 0,
            event_insns: u64::MAX,
            event_deadline: VirtTime::NEVER,
            slice_end_insns: u64::MAX,
            outcome: Outcome::default(),
            fault: None,
            shutdown_resets: true,
            stop_on_frame: false,
            unclaimed: 0,
            device_pages: DevicePages::default(),
        };
        board.sample_pins();
        board.remap();
        board.reset_devices(ResetKind::PowerOn);
        board.settle();
        // The CPU comes up in its reset state anyway; nothing of the power-on is left to be noticed.
        board.attention -= Attention::RESET | Attention::INIT | Attention::MAP_CHANGED;
        board
    }

    /// The present moment.
    pub fn now(&self) -> VirtTime {
        self.clock.now()
    }

    /// Instructions retired since power-on.
    pub fn insns_retired(&self) -> u64 {
        self.clock.insns()
    }

    /// The moment of the next event or scheduled input.
    pub fn next_deadline(&self) -> VirtTime {
        let event = self.fabric.events.next_deadline();
        self.inputs.next_at().map_or(event, |at| event.min(at))
    }

    /// The name of a device.
    pub fn name_of(&self, id: DeviceId) -> &str {
        self.slots
            .get(usize::from(id.0))
            .map_or("board", |s| s.name.as_str())
    }

    /// The device of that name.
    pub fn device_named(&self, name: &str) -> Option<DeviceId> {
        let i = self.slots.iter().position(|s| s.name == name)?;
        Some(DeviceId(i as u16))
    }

    /// All devices: name and kind, in the order of their ids.
    pub fn devices(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.slots
            .iter()
            .map(|s| (s.name.as_str(), s.device.kind()))
    }

    /// Calls into a device. What it caused waits for [`Self::settle`].
    pub(crate) fn call<R>(
        &mut self,
        id: DeviceId,
        f: impl FnOnce(&mut dyn DynDevice, &mut Cx<'_>) -> R,
    ) -> Option<R> {
        let slot = self.slots.get_mut(usize::from(id.0))?;
        let mut cx = Cx::by_clock(&self.clock, id, &mut self.fabric);
        Some(f(slot.device.as_mut(), &mut cx))
    }

    /// Delivers everything that the last call caused, in order.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if !self.fabric.is_settled() {
            self.deliver_all();
        }
        if self.code_written.load(Relaxed) {
            self.look_at_code_writes();
        }
        self.schedule();
    }

    #[cold]
    fn look_at_code_writes(&mut self) {
        let any = self.blocks.iter().any(Ram::code_was_written);
        self.code_written.store(any, Relaxed);
        if any {
            self.attention |= Attention::CODE_WRITTEN;
        }
    }

    #[inline(never)]
    fn deliver_all(&mut self) {
        let mut transitions = 0;
        loop {
            while let Some((net, high)) = self.fabric.wires.next_transition() {
                transitions += 1;
                if transitions > TRANSITIONS_MAX {
                    let name = self.fabric.wires.net_name(net).to_string();
                    while self.fabric.wires.next_transition().is_some() {}
                    self.raise(BoardFault::WireLoop(name));
                    break;
                }
                // A net has at most a handful of sinks; the list is copied because devices borrow the wires.
                for i in 0..self.fabric.wires.sinks(net).len() {
                    match self.fabric.wires.sinks(net)[i] {
                        Sink::Device(id, pin) => {
                            self.call(id, |d, cx| {
                                if let Some(inputs) = d.inputs() {
                                    inputs.input(pin, high, cx);
                                }
                            });
                        }
                        Sink::Cpu(_, pin) => self.drive_cpu_pin(pin, high),
                    }
                }
            }
            if let Some((sender, cycle)) = self.fabric.apic_cycles.pop_front() {
                self.apic_cycle(sender, cycle);
                continue;
            }
            if !self.fabric.posted.is_empty() {
                for (gpa, byte) in std::mem::take(&mut self.fabric.posted) {
                    self.post_byte(gpa, byte);
                }
                continue;
            }
            if self.fabric.requests.is_empty() {
                break;
            }
            let requests = std::mem::take(&mut self.fabric.requests);
            self.obey(&requests);
        }
    }

    fn obey(&mut self, requests: &Requests) {
        if requests.remap {
            self.remap();
        }
        if requests.dma {
            self.run_dma();
        }
        match requests.reset {
            Some(ResetKind::Init) => self.init_cpu(),
            Some(kind) => {
                self.attention |= Attention::RESET;
                self.reset_devices(kind);
            }
            None => {}
        }
        if requests.frame_ready {
            self.outcome.frame_ready = true;
            if self.stop_on_frame {
                self.attention |= Attention::STOP;
            }
        }
        if requests.power_off {
            self.outcome.power_off = true;
            self.attention |= Attention::STOP;
        }
        if let Some(code) = requests.exit {
            self.outcome.exit.get_or_insert(code);
            self.attention |= Attention::STOP;
        }
    }

    fn raise(&mut self, fault: BoardFault) {
        self.fault.get_or_insert(fault);
        self.attention |= Attention::STOP;
    }

    /// INIT: the CPU and its local APIC.
    fn init_cpu(&mut self) {
        self.attention |= Attention::INIT;
        for i in 0..self.roles.local_apics.len() {
            let id = self.roles.local_apics[i];
            self.call(id, |d, cx| d.reset(ResetKind::Init, cx));
        }
    }

    fn drive_cpu_pin(&mut self, pin: CpuPin, high: bool) {
        match pin {
            CpuPin::Intr => self.attention.set(Attention::INTR, high),
            CpuPin::Nmi if high => self.attention |= Attention::NMI,
            CpuPin::Smi if high => self.attention |= Attention::SMI,
            CpuPin::Init if high => self.init_cpu(),
            CpuPin::Nmi | CpuPin::Smi | CpuPin::Init => {}
            CpuPin::A20 => {
                self.attention.set(Attention::A20_MASKED, !high);
                self.attention |= Attention::MAP_CHANGED;
            }
            CpuPin::Ignne => self.attention.set(Attention::IGNNE, high),
        }
    }

    /// Reads the level-sensitive CPU pins from the wires: at power-on and after a restore.
    pub(crate) fn sample_pins(&mut self) {
        for (net, sink) in self.cpu_pins() {
            let high = self.fabric.wires.net_level(net);
            match sink {
                CpuPin::Intr | CpuPin::Ignne => self.drive_cpu_pin(sink, high),
                CpuPin::A20 => self.attention.set(Attention::A20_MASKED, !high),
                CpuPin::Nmi | CpuPin::Smi | CpuPin::Init => {}
            }
        }
    }

    fn cpu_pins(&self) -> Vec<(emu_core::wire::NetId, CpuPin)> {
        let mut pins = Vec::new();
        for net in self.fabric.wires.nets() {
            for sink in self.fabric.wires.sinks(net) {
                if let Sink::Cpu(_, pin) = sink {
                    pins.push((net, *pin));
                }
            }
        }
        pins
    }

    /// Asks every device what it decodes and builds the maps anew.
    pub(crate) fn remap(&mut self) {
        let mut decode = Decode::default();
        for (i, slot) in self.slots.iter().enumerate() {
            decode.begin(DeviceId(i as u16));
            slot.device.decode(&mut decode);
        }
        self.fabric.memory.rebuild(&decode);
        self.device_pages = DevicePages::default();
        self.fabric.ports.rebuild(&decode);
        for block in self.fabric.memory.blocks() {
            if !self.blocks.contains(&block) {
                self.blocks.push(block);
            }
        }
        for block in &self.blocks {
            block.report_code_writes_to(&self.code_written);
        }
        self.attention |= Attention::MAP_CHANGED;
    }

    /// Pulls the reset line of every device.
    fn reset_devices(&mut self, kind: ResetKind) {
        for i in 0..self.slots.len() {
            self.call(DeviceId(i as u16), |d, cx| d.reset(kind, cx));
        }
        self.remap();
    }

    /// Runs the cycles of the ISA DMA controller as long as it grants any.
    fn run_dma(&mut self) {
        let Some(controller) = self.roles.dma_controller else {
            return;
        };
        for _ in 0..DMA_CYCLES_AT_ONE_MOMENT {
            let cycle = self.call(controller, |d, cx| {
                d.dma_controller().and_then(|c| c.grant(cx))
            });
            let Some(Some(cycle)) = cycle else {
                return;
            };
            self.run_dma_cycle(cycle);
            // A drop of DREQ must reach the controller before it grants the next cycle.
            if self.fabric.wires.has_transitions() {
                self.fabric.requests.dma = true;
                return;
            }
        }
        let at = self.now().plus_ns(DMA_PAUSE_NS);
        self.fabric.events.arm(BOARD, TIMER_DMA, at);
    }

    fn run_dma_cycle(&mut self, cycle: DmaCycle) {
        let device = self
            .roles
            .dma_channels
            .get(usize::from(cycle.channel))
            .copied()
            .flatten();
        let tc = cycle.terminal_count;
        let bytes = if cycle.word { 2 } else { 1 };
        match cycle.transfer {
            DmaTransfer::Verify | DmaTransfer::WriteMemory => {
                let datum = device
                    .and_then(|id| {
                        self.call(id, |d, cx| d.isa_dma().map(|p| p.dack_read(tc, cx)))?
                    })
                    .unwrap_or(u16::MAX);
                if cycle.transfer == DmaTransfer::WriteMemory {
                    let posted = &mut self.fabric.posted;
                    let data = datum.to_le_bytes();
                    let memory = &self.fabric.memory;
                    memory.write(cycle.address, &data[..bytes], |at, b| posted.push((at, b)));
                }
            }
            DmaTransfer::ReadMemory => {
                let mut data = [0; 2];
                self.fabric.memory.read(cycle.address, &mut data[..bytes]);
                let datum = u16::from_le_bytes(data);
                if let Some(id) = device {
                    self.call(id, |d, cx| {
                        if let Some(p) = d.isa_dma() {
                            p.dack_write(datum, tc, cx);
                        }
                    });
                }
            }
        }
    }

    /// Recomputes at which instruction the board must be called next.
    fn schedule(&mut self) {
        let deadline = self.next_deadline();
        if deadline != self.event_deadline {
            self.take_deadline(deadline);
        }
        self.due_insns = self.event_insns.min(self.slice_end_insns);
    }

    #[inline(never)]
    fn take_deadline(&mut self, deadline: VirtTime) {
        self.event_deadline = deadline;
        self.event_insns = self
            .clock
            .insns()
            .saturating_add(self.clock.insns_until(deadline));
    }

    /// Recomputes as [`Self::schedule`] does, after the clock itself has changed.
    pub(crate) fn reschedule(&mut self) {
        self.event_deadline = VirtTime::NEVER;
        self.event_insns = u64::MAX;
        self.schedule();
    }

    /// Sets the instruction count at which [`Attention::STOP`] rises, and lowers it until then.
    pub(crate) fn begin_slice(&mut self, end_insns: u64) {
        self.slice_end_insns = end_insns;
        self.attention -= Attention::STOP;
        self.run_due();
        if self.outcome != Outcome::default() && self.ends_slice() || self.fault.is_some() {
            self.attention |= Attention::STOP;
        }
    }

    fn ends_slice(&self) -> bool {
        let o = self.outcome;
        o.power_off || o.exit.is_some() || o.triple_fault || (o.frame_ready && self.stop_on_frame)
    }

    pub(crate) fn count(&mut self, retired: u64) {
        self.clock.advance(retired);
        if self.clock.insns() >= self.due_insns {
            self.run_due();
        }
    }

    pub(crate) fn insns_to_due(&self) -> u64 {
        self.due_insns.saturating_sub(self.clock.insns())
    }

    /// Fires what is due: events and scheduled inputs in the order of their moments.
    pub(crate) fn run_due(&mut self) {
        let now = self.clock.now();
        let mut fired = 0;
        while self.next_deadline() <= now {
            let input_at = self.inputs.next_at().unwrap_or(VirtTime::NEVER);
            if input_at < self.fabric.events.next_deadline() {
                if let Some(event) = self.inputs.pop() {
                    self.deliver_input(event);
                }
            } else if let Some(event) = self.fabric.events.pop_due(now) {
                fired += 1;
                if fired > EVENTS_AT_ONE_MOMENT_MAX {
                    let name = self.name_of(event.device).to_string();
                    self.raise(BoardFault::EventLoop(name));
                    return;
                }
                if event.device == BOARD {
                    self.run_dma();
                } else {
                    self.call(event.device, |d, cx| {
                        if let Some(t) = d.timers() {
                            t.expired(event.timer, cx);
                        }
                    });
                }
                self.settle();
            }
        }
        self.schedule();
        if self.clock.insns() >= self.slice_end_insns {
            self.attention |= Attention::STOP;
        }
    }

    /// Moves time to `moment` while all CPUs are halted.
    pub(crate) fn jump_to(&mut self, moment: VirtTime) {
        self.clock.jump_to(moment);
        self.reschedule();
        self.run_due();
    }

    /// The CPU acknowledges an interrupt: its local APIC answers, or has the 8259As answer.
    pub(crate) fn int_ack(&mut self, cpu: CpuId) -> Option<u8> {
        let Some(&id) = self.roles.local_apics.get(usize::from(cpu.0)) else {
            return self.pic_ack();
        };
        let answer = self.call(id, |d, cx| d.int_ack().map(|i| i.acknowledge(cx)));
        self.settle();
        match answer.flatten()? {
            Acknowledge::Vector(v) => Some(v),
            Acknowledge::External | Acknowledge::Slave(_) => self.pic_ack(),
        }
    }

    /// Walks the PIC cascade.
    fn pic_ack(&mut self) -> Option<u8> {
        let acknowledge = |board: &mut Self, id| {
            board
                .call(id, |d, cx| d.int_ack().map(|i| i.acknowledge(cx)))
                .flatten()
        };
        let master = self.roles.pic_master?;
        let vector = match acknowledge(self, master)? {
            Acknowledge::Vector(v) => Some(v),
            // An 8259A has nothing behind it but slaves.
            Acknowledge::External => Some(0xFF),
            Acknowledge::Slave(n) => match self
                .roles
                .pic_slaves
                .get(usize::from(n))
                .copied()
                .flatten()
                .filter(|&slave| self.answers_to(slave, n))
                .map(|slave| acknowledge(self, slave))
            {
                Some(Some(Acknowledge::Vector(v))) => Some(v),
                // A slave that is not there or has another number, or one that names a slave of its own: nobody
                // drives the bus.
                _ => Some(0xFF),
            },
        };
        self.settle();
        vector
    }

    /// Whether a slave takes the cascade number on the CAS lines for its own.
    fn answers_to(&mut self, slave: DeviceId, cascade: u8) -> bool {
        let answer = self.call(slave, |d, _| d.int_ack().map(|i| i.answers_to(cascade)));
        answer.flatten().unwrap_or(false)
    }

    /// Gives an input to the devices now, and logs it.
    pub(crate) fn deliver_input(&mut self, event: HostEvent) {
        let (now, insns) = (self.clock.now(), self.clock.insns());
        self.inputs.log(now, insns, InputRecord::of(&event));
        match event {
            HostEvent::Key { key, pressed } => {
                self.feed_host_inputs(|| HostEvent::Key { key, pressed });
            }
            HostEvent::Mouse(m) => self.feed_host_inputs(|| HostEvent::Mouse(m)),
            HostEvent::PowerButton => self.feed_host_inputs(|| HostEvent::PowerButton),
            HostEvent::Medium(change) => {
                // A medium exists once, so it goes to the one device that has the drive.
                let drive = change.drive;
                if let Some(id) = self.drive_owner(drive) {
                    self.call(id, |d, cx| {
                        if let Some(h) = d.host_input() {
                            h.host_input(HostEvent::Medium(change), cx);
                        }
                    });
                    self.settle();
                }
            }
        }
    }

    fn feed_host_inputs(&mut self, make: impl Fn() -> HostEvent) {
        for i in 0..self.roles.host_inputs.len() {
            let id = self.roles.host_inputs[i];
            self.call(id, |d, cx| {
                if let Some(h) = d.host_input() {
                    h.host_input(make(), cx);
                }
            });
        }
        self.settle();
    }

    fn drive_owner(&self, drive: emu_core::host::DriveId) -> Option<DeviceId> {
        use emu_core::host::DriveId;
        let kind = match drive {
            DriveId::Floppy(_) => "i82077aa",
            DriveId::Atapi(..) => "piix3_ide",
        };
        let i = self.slots.iter().position(|s| s.device.kind() == kind)?;
        Some(DeviceId(i as u16))
    }

    /// How many characters serial port `index` can take now (0 if there is none).
    pub fn serial_room(&mut self, index: usize) -> usize {
        let Some(&id) = self.roles.serial_ports.get(index) else {
            return 0;
        };
        self.call(id, |d, _| d.serial_port().map_or(0, |s| s.receive_room()))
            .unwrap_or(0)
    }

    /// Gives a character to serial port `index`, and logs it.
    pub fn serial_receive(&mut self, index: usize, byte: u8) {
        let Some(&id) = self.roles.serial_ports.get(index) else {
            return;
        };
        let (now, insns) = (self.clock.now(), self.clock.insns());
        let port = index as u8;
        let record = InputRecord::Serial(SerialByte { port, byte });
        self.inputs.log(now, insns, record);
        self.call(id, |d, cx| {
            if let Some(s) = d.serial_port() {
                s.receive(byte, cx);
            }
        });
        self.settle();
    }

    /// The characters on the screen, if it is in a text mode.
    pub fn screen_text(&mut self) -> Option<TextScreen> {
        let id = self.roles.display?;
        self.call(id, |d, _| d.display().and_then(|p| p.text()))
            .flatten()
    }

    /// Draws the present picture; false if there is no display.
    pub fn scanout(&mut self, frame: &mut Frame) -> bool {
        let Some(id) = self.roles.display else {
            return false;
        };
        self.call(id, |d, _| d.display().map(|p| p.scanout(frame)))
            .flatten()
            .is_some()
    }

    /// Drives FERR# of a CPU.
    pub(crate) fn ferr(&mut self, _cpu: CpuId, asserted: bool) {
        if let Some(line) = self.roles.ferr {
            self.fabric.wires.set(line, asserted);
            self.settle();
        }
    }

    /// A performance counter of a CPU has overflown: an edge.
    pub(crate) fn counter_overflow(&mut self, _cpu: CpuId) {
        if let Some(line) = self.roles.counter_overflow {
            self.fabric.wires.set(line, true);
            self.fabric.wires.set(line, false);
            self.settle();
        }
    }

    /// A CPU entered shutdown. The PIIX3 answers the shutdown cycle with INIT (82371SB data sheet, INIT signal),
    /// which is how a triple fault restarts a PC.
    pub(crate) fn cpu_shut_down(&mut self) {
        if self.shutdown_resets {
            self.init_cpu();
            self.settle();
        } else {
            self.outcome.triple_fault = true;
            self.attention |= Attention::STOP;
        }
    }

    /// Reads physical memory as a debugger does: memory only, and no device notices.
    pub fn peek(&self, gpa: Gpa, buffer: &mut [u8]) {
        self.fabric.memory.read(gpa, buffer);
    }
}
