//! The keyboard controller of a PS/2: an 8042 (UPI-42) with IBM's firmware, its keyboard and its mouse.
//!
//! Manuals: IBM, "PS/2 Hardware Interface Technical Reference: Common Interfaces", S84F-9809 (controller, keyboard,
//! mouse); IBM, "PC/AT Technical Reference", 1502494; Intel, "UPI-41AH/42AH Universal Peripheral Interface", order
//! number 210393.
//!
//! Ports 60h (data) and 64h (status, commands). Outputs: the two interrupts (the board leads them to IRQ1 and
//! IRQ12), A20 (high: address line 20 is passed on), and a reset of the CPU. Keys and mouse movements come through
//! [`HostInput`].
//!
//! A byte takes its time on a device's serial line, one byte at a time; the controller holds both clocks while its
//! output buffer is full. A byte from the system that comes while a device is sending aborts that, and the device
//! sends the same byte again later.
//!
//! **Not implemented**: the diagnostic dump (ACh) and the AT's keyboard-clock tricks behind it; commands that
//! only other firmwares have are ignored, as by IBM's.
//!
//! **Known inaccuracies**: writing P20 low gives one reset, not a held one. Bits of the output port that drive the
//! devices' lines and the interrupts follow the interfaces' and the buffer's state; writing them has no effect. Parity errors do not happen.

mod ps2_keyboard;
mod ps2_mouse;
mod scan_codes;
pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::{Decode, Width};
use emu_core::cap::{HostInput, PortAddr, PortIo, Timers};
use emu_core::event::TimerId;
use emu_core::host::HostEvent;
use emu_core::snapshot::Snapshot;
use emu_core::wire::Line;
use emu_core::{Cx, Device, ResetKind, VirtTime};
use ps2_keyboard::Ps2Keyboard;
use ps2_mouse::Ps2Mouse;
use serde::{Deserialize, Serialize};
use spec::{CommandByte, OutputPort, Status, command};

/// Output pins.
#[derive(Copy, Clone, Debug)]
pub struct Wiring {
    /// P24: the keyboard's interrupt.
    pub keyboard_irq: Line,
    /// P25: the auxiliary device's interrupt.
    pub mouse_irq: Line,
    /// P21: high while address line 20 is passed on.
    pub a20: Line,
}

/// What the board decides.
#[derive(Copy, Clone, Debug)]
pub struct Config {
    /// A keyboard is plugged in.
    pub keyboard: bool,
    /// A mouse is plugged in.
    pub mouse: bool,
    /// The input port: jumpers and key lock.
    pub input_port: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keyboard: true,
            mouse: true,
            input_port: spec::INPUT_PORT_AT,
        }
    }
}

const REGION_DATA: u16 = 0;
const REGION_COMMAND: u16 = 1;

const TIMER_INPUT: TimerId = 0;
const TIMER_RECEIVE: TimerId = 1;
const TIMER_SEND: TimerId = 2;
const TIMER_KEYBOARD: TimerId = 3;
const TIMER_MOUSE: TimerId = 4;
const TIMER_PULSE: TimerId = 5;

/// One of the two serial interfaces.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Interface {
    Keyboard,
    Auxiliary,
}

/// What the next byte at the data port is for.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
enum Expecting {
    /// The keyboard.
    #[default]
    Keyboard,
    Ram(u8),
    Password,
    OutputPort,
    KeyboardOutput,
    AuxiliaryOutput,
    Auxiliary,
}

/// A nibble of the input port that stands in status bits 7-4.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Poll {
    Low,
    High,
}

/// All that changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    keyboard: Ps2Keyboard,
    mouse: Ps2Mouse,
    /// RAM; byte 0 is the command byte.
    ram: [u8; 32],
    output_buffer: u8,
    output_full: bool,
    /// Where the byte in the output buffer came from.
    output_auxiliary: bool,
    timeout: bool,
    /// A byte that the firmware has not yet taken: (value, it is a command).
    input: Option<(u8, bool)>,
    last_was_command: bool,
    expecting: Expecting,
    poll: Option<Poll>,
    output_port: OutputPort,
    /// Output port bits that a pulse holds low.
    pulsed: OutputPort,
    receiving: Option<Interface>,
    sending: Option<(Interface, u8)>,
    /// Translation saw the break prefix.
    break_seen: bool,
    password: Vec<u8>,
    /// While the password locks the keyboard: how many of its codes were typed.
    locked: Option<u8>,
}

impl State {
    fn new() -> Self {
        Self {
            keyboard: Ps2Keyboard::new(),
            mouse: Ps2Mouse::new(),
            ram: {
                let mut ram = [0; 32];
                ram[0] = COMMAND_BYTE_AT_RESET.bits();
                ram
            },
            output_buffer: 0,
            output_full: false,
            output_auxiliary: false,
            timeout: false,
            input: None,
            last_was_command: false,
            expecting: Expecting::Keyboard,
            poll: None,
            output_port: OutputPort::NOT_RESET.union(OutputPort::A20),
            pulsed: OutputPort::empty(),
            receiving: None,
            sending: None,
            break_seen: false,
            password: Vec::new(),
            locked: None,
        }
    }

    fn command_byte(&self) -> CommandByte {
        CommandByte::from_bits_retain(self.ram[0])
    }
}

/// After its reset and self test the controller translates and holds both devices.
const COMMAND_BYTE_AT_RESET: CommandByte = CommandByte::TRANSLATE
    .union(CommandByte::KEYBOARD_DISABLED)
    .union(CommandByte::AUXILIARY_DISABLED);

impl Snapshot for State {
    const VERSION: u16 = 1;
    fn validate(&self) -> Result<(), &'static str> {
        if !self.keyboard.valid() || !self.mouse.valid() {
            return Err("a device's queue is too long");
        }
        if self.password.len() > spec::PASSWORD_BYTES_MAX {
            return Err("the password is too long");
        }
        match self.expecting {
            Expecting::Ram(at) if usize::from(at) >= self.ram.len() => {
                Err("a RAM address is too high")
            }
            _ => Ok(()),
        }
    }
}

/// The controller with its devices.
#[derive(Debug)]
pub struct I8042 {
    wiring: Wiring,
    config: Config,
    state: State,
}

impl I8042 {
    /// A controller, wired.
    pub fn new(wiring: Wiring, config: Config) -> Self {
        Self {
            wiring,
            config,
            state: State::new(),
        }
    }

    /// The keyboard's lights: bit 0 Scroll Lock, bit 1 Num Lock, bit 2 Caps Lock.
    pub fn indicators(&self) -> u8 {
        self.state.keyboard.indicators()
    }

    fn present(&self, interface: Interface) -> bool {
        match interface {
            Interface::Keyboard => self.config.keyboard,
            Interface::Auxiliary => self.config.mouse,
        }
    }

    fn enabled(&self, interface: Interface) -> bool {
        let disabled = match interface {
            Interface::Keyboard => CommandByte::KEYBOARD_DISABLED,
            Interface::Auxiliary => CommandByte::AUXILIARY_DISABLED,
        };
        !self.state.command_byte().contains(disabled)
    }

    fn wants_to_send(&self, interface: Interface) -> bool {
        let waits = match interface {
            Interface::Keyboard => self.state.keyboard.has_output(),
            Interface::Auxiliary => self.state.mouse.has_output(),
        };
        waits && self.present(interface) && self.enabled(interface)
    }

    fn set_command_bits(&mut self, bits: CommandByte, on: bool) {
        let mut byte = self.state.command_byte();
        byte.set(bits, on);
        self.state.ram[0] = byte.bits();
    }

    fn key_unlocked(&self) -> bool {
        self.config.input_port & spec::INPUT_KEY_UNLOCKED != 0
            || self
                .state
                .command_byte()
                .contains(CommandByte::INHIBIT_OVERRIDE)
    }

    fn status(&self) -> u8 {
        let s = &self.state;
        let mut status = Status::empty();
        status.set(Status::OUTPUT_FULL, s.output_full);
        status.set(Status::INPUT_FULL, s.input.is_some());
        status.set(
            Status::SYSTEM,
            s.command_byte().contains(CommandByte::SYSTEM),
        );
        status.set(Status::COMMAND, s.last_was_command);
        status.set(Status::NOT_INHIBITED, self.key_unlocked());
        status.set(Status::AUXILIARY, s.output_auxiliary);
        status.set(Status::TIMEOUT, s.timeout);
        let low = status.bits() & 0x0F;
        match s.poll {
            None => status.bits(),
            Some(Poll::Low) => low | (self.input_port() << 4),
            Some(Poll::High) => low | (self.input_port() & 0xF0),
        }
    }

    fn input_port(&self) -> u8 {
        self.config.input_port | spec::INPUT_DATA_LINES
    }

    fn read_output_port(&self) -> u8 {
        let mut port =
            self.state.output_port | OutputPort::KEYBOARD_DATA | OutputPort::AUXILIARY_DATA;
        port.set(
            OutputPort::KEYBOARD_CLOCK,
            self.enabled(Interface::Keyboard),
        );
        port.set(
            OutputPort::AUXILIARY_CLOCK,
            self.enabled(Interface::Auxiliary),
        );
        port.bits()
    }

    /// Puts a byte into the output buffer. Only a byte of the auxiliary device raises the second interrupt.
    fn output(&mut self, byte: u8, auxiliary: bool) {
        let s = &mut self.state;
        s.output_buffer = byte;
        s.output_full = true;
        s.output_auxiliary = auxiliary;
        let enables = s.command_byte();
        s.output_port.set(
            OutputPort::IRQ1,
            !auxiliary && enables.contains(CommandByte::KEYBOARD_INTERRUPT),
        );
        s.output_port.set(
            OutputPort::IRQ12,
            auxiliary && enables.contains(CommandByte::AUXILIARY_INTERRUPT),
        );
    }

    fn respond(&mut self, byte: u8) {
        self.state.timeout = false;
        self.output(byte, false);
    }

    /// Drives the pins, starts what the serial lines can do now and arms the devices' timers.
    fn go_on(&mut self, cx: &mut Cx<'_>) {
        let pins = self.state.output_port - self.state.pulsed;
        cx.set_line(self.wiring.keyboard_irq, pins.contains(OutputPort::IRQ1));
        cx.set_line(self.wiring.mouse_irq, pins.contains(OutputPort::IRQ12));
        cx.set_line(self.wiring.a20, pins.contains(OutputPort::A20));
        let s = &self.state;
        if !s.output_full && s.receiving.is_none() && s.sending.is_none() && s.input.is_none() {
            let from = [Interface::Keyboard, Interface::Auxiliary]
                .into_iter()
                .find(|&i| self.wants_to_send(i));
            if from.is_some() {
                self.state.receiving = from;
                cx.arm(TIMER_RECEIVE, cx.now().plus_ns(spec::SERIAL_BYTE_NS));
            }
        }
        arm_or_disarm(TIMER_KEYBOARD, self.state.keyboard.deadline(), cx);
        arm_or_disarm(TIMER_MOUSE, self.state.mouse.deadline(), cx);
    }

    fn send_to(&mut self, interface: Interface, byte: u8, cx: &mut Cx<'_>) {
        // Pulling the clock low ends what a device was sending.
        self.state.receiving = None;
        cx.disarm(TIMER_RECEIVE);
        self.state.sending = Some((interface, byte));
        let ns = if self.present(interface) {
            spec::SERIAL_BYTE_NS
        } else {
            spec::SEND_TIMEOUT_NS
        };
        cx.arm(TIMER_SEND, cx.now().plus_ns(ns));
    }

    fn sent(&mut self, interface: Interface, byte: u8, now: VirtTime) {
        match interface {
            _ if !self.present(interface) => {
                self.state.timeout = true;
                self.output(spec::RESEND, interface == Interface::Auxiliary);
            }
            Interface::Keyboard => self.state.keyboard.receive(byte, now),
            Interface::Auxiliary => self.state.mouse.receive(byte, now),
        }
    }

    fn received(&mut self, interface: Interface) {
        if self.state.output_full || !self.enabled(interface) {
            return;
        }
        match interface {
            Interface::Keyboard => {
                if let Some(byte) = self.state.keyboard.send() {
                    self.keyboard_byte(byte);
                }
            }
            Interface::Auxiliary => {
                if let Some(byte) = self.state.mouse.send() {
                    self.state.timeout = false;
                    self.output(byte, true);
                }
            }
        }
    }

    /// A byte from the keyboard: translated, compared with the password, passed on.
    fn keyboard_byte(&mut self, byte: u8) {
        let mut code = byte;
        if self.state.command_byte().contains(CommandByte::TRANSLATE) {
            if byte == spec::BREAK_PREFIX {
                self.state.break_seen = true;
                return;
            }
            code = spec::TRANSLATION
                .get(usize::from(byte))
                .copied()
                .unwrap_or(byte);
            if std::mem::take(&mut self.state.break_seen) {
                code |= spec::BREAK_BIT;
            }
        }
        if let Some(matched) = self.state.locked {
            self.compare_password(code, matched);
        } else if self.key_unlocked() {
            self.respond(code);
        }
    }

    fn compare_password(&mut self, code: u8, matched: u8) {
        let passed_over = spec::RAM_PASSED_OVER
            .iter()
            .any(|&at| self.state.ram[at] != 0 && self.state.ram[at] == code);
        if code & spec::BREAK_BIT != 0 || passed_over {
            return;
        }
        let password = &self.state.password;
        let next = match password.get(usize::from(matched)) {
            Some(&expected) if expected == code => matched.saturating_add(1),
            _ => u8::from(password.first() == Some(&code)),
        };
        if usize::from(next) < password.len() {
            self.state.locked = Some(next);
            return;
        }
        self.state.locked = None;
        let notice = self.state.ram[spec::RAM_SECURITY_OFF];
        if notice != 0 {
            self.respond(notice);
        }
    }

    /// The firmware takes a byte from the input buffer.
    fn take_input(&mut self, cx: &mut Cx<'_>) {
        // While it sends, the firmware does not look.
        if self.state.sending.is_some() {
            return;
        }
        match self.state.input.take() {
            Some((byte, true)) => {
                self.state.expecting = Expecting::Keyboard;
                self.command(byte, cx);
            }
            Some((byte, false)) => self.data(byte, cx),
            None => {}
        }
    }

    fn data(&mut self, byte: u8, cx: &mut Cx<'_>) {
        match std::mem::take(&mut self.state.expecting) {
            Expecting::Keyboard => {
                self.set_command_bits(CommandByte::KEYBOARD_DISABLED, false);
                self.send_to(Interface::Keyboard, byte, cx);
            }
            Expecting::Auxiliary => self.send_to(Interface::Auxiliary, byte, cx),
            Expecting::Ram(at) => self.state.ram[usize::from(at)] = byte,
            Expecting::Password => {
                if byte != 0 {
                    self.state.expecting = Expecting::Password;
                    if self.state.password.len() < spec::PASSWORD_BYTES_MAX {
                        self.state.password.push(byte);
                    }
                }
            }
            Expecting::OutputPort => {
                // P24 and P25 are buffer-full flags (UPI-42, EN FLAGS): they tell of bytes, whatever is written.
                let value = OutputPort::from_bits_retain(byte);
                self.state.output_port =
                    (self.state.output_port - OutputPort::A20) | (value & OutputPort::A20);
                if !value.contains(OutputPort::NOT_RESET) {
                    cx.request_reset(ResetKind::Init);
                }
            }
            Expecting::KeyboardOutput => self.respond(byte),
            Expecting::AuxiliaryOutput => self.output(byte, true),
        }
    }

    fn command(&mut self, byte: u8, cx: &mut Cx<'_>) {
        let s = &mut self.state;
        match byte {
            0x20..=0x3F => {
                let value = s.ram[usize::from(byte & command::RAM_ADDRESS)];
                self.respond(value);
            }
            0x60..=0x7F => s.expecting = Expecting::Ram(byte & command::RAM_ADDRESS),
            command::VERSION => self.respond(spec::FIRMWARE_VERSION),
            command::TEST_PASSWORD => {
                let installed = !s.password.is_empty();
                self.respond(if installed {
                    spec::PASSWORD_INSTALLED
                } else {
                    spec::NO_PASSWORD
                });
            }
            command::LOAD_PASSWORD => {
                s.password.clear();
                s.expecting = Expecting::Password;
            }
            command::ENABLE_PASSWORD => {
                if !s.password.is_empty() {
                    s.locked = Some(0);
                    let notice = s.ram[spec::RAM_SECURITY_ON];
                    if notice != 0 {
                        self.respond(notice);
                    }
                }
            }
            command::DISABLE_AUXILIARY => {
                self.set_command_bits(CommandByte::AUXILIARY_DISABLED, true);
            }
            command::ENABLE_AUXILIARY => {
                self.set_command_bits(CommandByte::AUXILIARY_DISABLED, false);
            }
            command::TEST_AUXILIARY | command::TEST_KEYBOARD => self.respond(spec::LINES_GOOD),
            command::SELF_TEST => {
                s.ram[0] = (COMMAND_BYTE_AT_RESET | CommandByte::SYSTEM).bits();
                s.break_seen = false;
                self.respond(spec::SELF_TEST_PASSED);
            }
            command::DISABLE_KEYBOARD => {
                self.set_command_bits(CommandByte::KEYBOARD_DISABLED, true);
            }
            command::ENABLE_KEYBOARD => {
                self.set_command_bits(CommandByte::KEYBOARD_DISABLED, false);
            }
            command::READ_INPUT_PORT => self.respond(self.input_port()),
            command::POLL_INPUT_LOW => s.poll = Some(Poll::Low),
            command::POLL_INPUT_HIGH => s.poll = Some(Poll::High),
            command::READ_OUTPUT_PORT => {
                let port = self.read_output_port();
                self.respond(port);
            }
            command::WRITE_OUTPUT_PORT => s.expecting = Expecting::OutputPort,
            command::WRITE_KEYBOARD_OUTPUT => s.expecting = Expecting::KeyboardOutput,
            command::WRITE_AUXILIARY_OUTPUT => s.expecting = Expecting::AuxiliaryOutput,
            command::SEND_TO_AUXILIARY => s.expecting = Expecting::Auxiliary,
            command::READ_TEST_INPUTS => {
                let clock = |i, bit| if self.enabled(i) { bit } else { 0 };
                let inputs = clock(Interface::Keyboard, spec::TEST_KEYBOARD_CLOCK)
                    | clock(Interface::Auxiliary, spec::TEST_AUXILIARY_CLOCK);
                self.respond(inputs);
            }
            command::PULSE.. => {
                let low = OutputPort::from_bits_truncate(!byte & 0x0F);
                if low.contains(OutputPort::NOT_RESET) {
                    cx.request_reset(ResetKind::Init);
                }
                s.pulsed = low;
                cx.arm(TIMER_PULSE, cx.now().plus_ns(spec::PULSE_NS));
            }
            _ => tracing::debug!(target: "i8042", "unknown command {byte:02X}h"),
        }
    }
}

fn arm_or_disarm(timer: TimerId, at: Option<VirtTime>, cx: &mut Cx<'_>) {
    if cx.armed(timer) != at {
        match at {
            Some(at) => cx.arm(timer, at),
            None => cx.disarm(timer),
        }
    }
}

impl Device for I8042 {
    const KIND: &'static str = "i8042";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        match kind {
            ResetKind::Init => return,
            // The devices have their own power, and no reset line.
            ResetKind::Hard => {
                let fresh = State::new();
                self.state = State {
                    keyboard: self.state.keyboard.clone(),
                    mouse: self.state.mouse.clone(),
                    ..fresh
                };
            }
            ResetKind::PowerOn => self.state = State::new(),
        }
        for timer in [TIMER_INPUT, TIMER_RECEIVE, TIMER_SEND, TIMER_PULSE] {
            cx.disarm(timer);
        }
        self.go_on(cx);
    }
    fn decode(&self, decode: &mut Decode) {
        decode.ports(REGION_DATA, spec::DATA_PORT, 1, Width::Byte);
        decode.ports(REGION_COMMAND, spec::COMMAND_PORT, 1, Width::Byte);
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Some(self)
    }
    fn host_input(&mut self) -> Option<&mut dyn HostInput> {
        Some(self)
    }
}

impl PortIo for I8042 {
    fn port_read(&mut self, at: PortAddr, _width: Width, cx: &mut Cx<'_>) -> u32 {
        if at.region == REGION_COMMAND {
            return self.status().into();
        }
        let s = &mut self.state;
        s.output_full = false;
        s.output_port -= OutputPort::IRQ1 | OutputPort::IRQ12;
        let byte = s.output_buffer;
        self.go_on(cx);
        byte.into()
    }

    fn port_write(&mut self, at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let command = at.region == REGION_COMMAND;
        self.state.last_was_command = command;
        self.state.poll = None;
        self.state.input = Some((value as u8, command));
        cx.arm(TIMER_INPUT, cx.now().plus_ns(spec::INPUT_LATENCY_NS));
    }
}

impl Timers for I8042 {
    fn expired(&mut self, timer: TimerId, cx: &mut Cx<'_>) {
        match timer {
            TIMER_INPUT => self.take_input(cx),
            TIMER_RECEIVE => {
                if let Some(interface) = self.state.receiving.take() {
                    self.received(interface);
                }
            }
            TIMER_SEND => {
                if let Some((interface, byte)) = self.state.sending.take() {
                    self.sent(interface, byte, cx.now());
                }
                if self.state.input.is_some() {
                    cx.arm(TIMER_INPUT, cx.now().plus_ns(spec::INPUT_LATENCY_NS));
                }
            }
            TIMER_KEYBOARD => self.state.keyboard.tick(cx.now()),
            TIMER_MOUSE => self.state.mouse.tick(cx.now()),
            _ => self.state.pulsed = OutputPort::empty(),
        }
        self.go_on(cx);
    }
}

impl HostInput for I8042 {
    fn host_input(&mut self, event: HostEvent, cx: &mut Cx<'_>) {
        match event {
            HostEvent::Key { key, pressed } if self.config.keyboard => {
                self.state.keyboard.key(key, pressed, cx.now());
            }
            HostEvent::Mouse(event) if self.config.mouse => {
                self.state.mouse.moved(event);
                // A sample that is due already.
                self.state.mouse.tick(cx.now());
            }
            _ => {}
        }
        self.go_on(cx);
    }
}
