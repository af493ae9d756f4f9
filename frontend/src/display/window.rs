//! A plain window: the picture scaled to the nearest pixel, keyboard, mouse. Click to give the mouse to the guest,
//! Ctrl+Alt to take it back.

use super::{Ending, Picture, Screen, UiEvent, UiLink, defect, spawn_emulation};
use crate::exit::Mistake;
use crate::session::Session;
use emu_core::host::{Frame, KeyCode as HidKey, MouseEvent};
use std::num::NonZeroU32;
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use winit::application::ApplicationHandler;
use winit::dpi::PhysicalSize;
use winit::event::{
    DeviceEvent, DeviceId, ElementState, KeyEvent, MouseButton, MouseScrollDelta, WindowEvent,
};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{KeyCode, PhysicalKey};
use winit::window::{CursorGrabMode, Window, WindowId};

/// What the emulation tells the window.
#[derive(Copy, Clone, Debug)]
enum Word {
    Picture,
    Finished,
}

type Surface = softbuffer::Surface<Rc<Window>, Rc<Window>>;

struct App {
    screen: Screen,
    events: Sender<UiEvent>,
    window: Option<(Rc<Window>, Surface)>,
    picture: Picture,
    grabbed: bool,
    buttons: u8,
    held: Vec<HidKey>,
    failure: Option<String>,
    /// Parts of a mouse count that were not sent yet.
    fraction: (f64, f64),
    /// Screen pixels for one of the guest's, in a window that nobody has resized.
    factor: u32,
    /// The sizes that we asked for last; any other one is the user's.
    asked: [PhysicalSize<u32>; 2],
    resized_by_user: bool,
}

/// A desktop on which a window can be opened.
pub struct Desktop(Box<EventLoop<Word>>);

/// The size of the text mode in which a VGA starts.
const FIRST_SIZE: PhysicalSize<u32> = PhysicalSize::new(720, 400);
/// The height that every window should have room for on a monitor, once for each screen pixel of a guest's pixel.
const ROOM: u32 = 1000;
const TITLE: &str = "Boxwood - a click gives the mouse to the guest";
const TITLE_GRABBED: &str = "Boxwood - Ctrl+Alt releases the mouse";

fn no_window(why: &dyn std::fmt::Display) -> Mistake {
    Mistake::usage(format!(
        "no window can be opened ({why}): --display terminal or none works without a desktop"
    ))
}

/// Finds the desktop, or says why there is none.
pub fn open() -> Result<Desktop, String> {
    let event_loop = EventLoop::<Word>::with_user_event().build();
    event_loop.map(|e| Desktop(Box::new(e))).map_err(|e| {
        let why = e.to_string();
        // Winit tells a place in its sources first.
        why.rsplit("rs:")
            .next()
            .and_then(|end| end.split_once(": "))
            .map_or_else(|| why.clone(), |(_, reason)| reason.to_string())
    })
}

/// Finds the desktop that was asked for by name.
pub fn demand() -> Result<Desktop, Mistake> {
    open().map_err(|why| no_window(&why))
}

/// Shows the session in a window until either ends.
pub fn run(desktop: Desktop, session: Session) -> Ending {
    let event_loop = *desktop.0;
    event_loop.set_control_flow(ControlFlow::Wait);
    let (tx, rx) = channel();
    let screen = Screen::default();
    let (to_window, at_end) = (event_loop.create_proxy(), event_loop.create_proxy());
    let link = UiLink {
        events: rx,
        screen: screen.clone(),
        // A window that has gone reports that by closing its channel.
        notify: Box::new(move || {
            let _ = to_window.send_event(Word::Picture);
        }),
    };
    let session = session.with_ui(Some(link));
    let emulation = spawn_emulation(
        move || session.run(),
        move || {
            let _ = at_end.send_event(Word::Finished);
        },
    );
    let mut app = App {
        screen,
        events: tx,
        window: None,
        picture: Picture::default(),
        grabbed: false,
        buttons: 0,
        held: Vec::new(),
        failure: None,
        fraction: (0.0, 0.0),
        factor: 1,
        asked: [FIRST_SIZE; 2],
        resized_by_user: false,
    };
    let ran = event_loop.run_app(&mut app);
    app.send(UiEvent::Quit);
    let outcome = emulation.join().unwrap_or_else(|_| Ok(defect()))?;
    ran.map_err(|e| no_window(&e))?;
    match app.failure {
        Some(failure) => Err(no_window(&failure)),
        None => Ok(outcome),
    }
}

impl App {
    fn send(&self, event: UiEvent) {
        // The other end is gone only when the run has finished, and then the window closes too.
        let _ = self.events.send(event);
    }

    fn fail(&mut self, event_loop: &ActiveEventLoop, why: &dyn std::fmt::Display) {
        self.failure = Some(why.to_string());
        event_loop.exit();
    }

    fn set_grab(&mut self, grab: bool) {
        let Some((window, _)) = &self.window else {
            return;
        };
        if grab {
            // X11 can confine the pointer, Wayland can lock it.
            let locked = window
                .set_cursor_grab(CursorGrabMode::Locked)
                .or_else(|_| window.set_cursor_grab(CursorGrabMode::Confined));
            if locked.is_err() {
                return;
            }
        } else {
            let _ = window.set_cursor_grab(CursorGrabMode::None);
        }
        window.set_cursor_visible(!grab);
        window.set_title(if grab { TITLE_GRABBED } else { TITLE });
        self.grabbed = grab;
        if !grab && self.buttons != 0 {
            self.buttons = 0;
            self.send_mouse(0, 0, 0);
        }
    }

    fn send_mouse(&self, dx: i32, dy: i32, wheel: i32) {
        let buttons = self.buttons;
        self.send(UiEvent::Mouse(MouseEvent {
            dx,
            dy,
            wheel,
            buttons,
        }));
    }

    fn key(&mut self, event: &KeyEvent) {
        let PhysicalKey::Code(code) = event.physical_key else {
            return;
        };
        let Some(key) = hid_key(code) else {
            return;
        };
        // The guest's keyboard repeats by itself.
        if event.repeat {
            return;
        }
        let pressed = event.state == ElementState::Pressed;
        self.held.retain(|k| *k != key);
        if pressed {
            self.held.push(key);
        }
        self.send(UiEvent::Key { key, pressed });
        let holds = |code: u8| self.held.contains(&HidKey(code));
        if self.grabbed && (holds(0xE0) || holds(0xE4)) && (holds(0xE2) || holds(0xE6)) {
            self.set_grab(false);
        }
    }

    fn release_all(&mut self) {
        for key in std::mem::take(&mut self.held) {
            let pressed = false;
            self.send(UiEvent::Key { key, pressed });
        }
    }

    fn button(&mut self, state: ElementState, button: MouseButton) {
        let bit = match button {
            MouseButton::Left => 1,
            MouseButton::Right => 2,
            MouseButton::Middle => 4,
            MouseButton::Back => 8,
            MouseButton::Forward => 16,
            MouseButton::Other(_) => return,
        };
        if !self.grabbed {
            if state == ElementState::Pressed {
                self.set_grab(true);
            }
            return;
        }
        if state == ElementState::Pressed {
            self.buttons |= bit;
        } else {
            self.buttons &= !bit;
        }
        self.send_mouse(0, 0, 0);
    }

    /// Makes the window as large as the picture, unless the user has chosen another size.
    fn follow(&mut self) {
        let frame = &self.picture.frame;
        let size = |pixels: usize| u32::try_from(pixels).ok()?.checked_mul(self.factor);
        let (Some(width), Some(height)) = (size(frame.width), size(frame.height)) else {
            return;
        };
        let wanted = PhysicalSize::new(width, height);
        if self.resized_by_user || width == 0 || height == 0 || wanted == self.asked[0] {
            return;
        }
        self.asked = [wanted, self.asked[0]];
        if let Some((window, _)) = &self.window {
            // What the desktop makes of it comes as an event.
            let _ = window.request_inner_size(wanted);
        }
    }

    fn draw(&mut self) -> Result<(), softbuffer::SoftBufferError> {
        let Some((window, surface)) = &mut self.window else {
            return Ok(());
        };
        let size = window.inner_size();
        let (Some(width), Some(height)) =
            (NonZeroU32::new(size.width), NonZeroU32::new(size.height))
        else {
            return Ok(());
        };
        surface.resize(width, height)?;
        let mut buffer = surface.buffer_mut()?;
        let (w, h) = (size.width as usize, size.height as usize);
        scale(&self.picture.frame, &mut buffer, w, h);
        buffer.present()
    }
}

/// Scales to the nearest pixel, keeping the picture's proportions; black bars fill the rest.
fn scale(frame: &Frame, out: &mut [u32], width: usize, height: usize) {
    out.fill(0);
    if frame.width == 0 || frame.height == 0 || width == 0 || height == 0 {
        return;
    }
    let (shown_w, shown_h) = if width * frame.height <= height * frame.width {
        (width, (width * frame.height / frame.width).max(1))
    } else {
        ((height * frame.width / frame.height).max(1), height)
    };
    let (left, top) = ((width - shown_w) / 2, (height - shown_h) / 2);
    let columns: Vec<usize> = (0..shown_w).map(|x| x * frame.width / shown_w).collect();
    for y in 0..shown_h {
        let row = &frame.pixels[y * frame.height / shown_h * frame.width..][..frame.width];
        let start = (top + y) * width + left;
        for (to, &from) in out[start..start + shown_w].iter_mut().zip(&columns) {
            *to = row[from];
        }
    }
}

impl ApplicationHandler<Word> for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        if self.window.is_some() {
            return;
        }
        let monitor = event_loop
            .primary_monitor()
            .or_else(|| event_loop.available_monitors().next());
        self.factor = monitor.map_or(1, |m| (m.size().height / ROOM).max(1));
        let first = PhysicalSize::new(
            FIRST_SIZE.width.saturating_mul(self.factor),
            FIRST_SIZE.height.saturating_mul(self.factor),
        );
        self.asked = [first; 2];
        let attributes = Window::default_attributes()
            .with_title(TITLE)
            .with_inner_size(self.asked[0]);
        let window = match event_loop.create_window(attributes) {
            Ok(window) => Rc::new(window),
            Err(e) => return self.fail(event_loop, &e),
        };
        let surface = softbuffer::Context::new(window.clone())
            .and_then(|context| softbuffer::Surface::new(&context, window.clone()));
        match surface {
            Ok(surface) => self.window = Some((window, surface)),
            Err(e) => self.fail(event_loop, &e),
        }
    }

    fn user_event(&mut self, event_loop: &ActiveEventLoop, word: Word) {
        match word {
            Word::Picture => {
                if self.screen.take(&mut self.picture) {
                    self.follow();
                }
                if let Some((window, _)) = &self.window {
                    window.request_redraw();
                }
            }
            Word::Finished => event_loop.exit(),
        }
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _id: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::CloseRequested => {
                self.send(UiEvent::Quit);
                event_loop.exit();
            }
            WindowEvent::RedrawRequested => {
                if let Err(e) = self.draw() {
                    self.fail(event_loop, &e);
                }
            }
            WindowEvent::Resized(size) => {
                if size.width != 0 && size.height != 0 && !self.asked.contains(&size) {
                    self.resized_by_user = true;
                }
                if let Some((window, _)) = &self.window {
                    window.request_redraw();
                }
            }
            // Keys that are down when the window gets the focus were not pressed for the guest.
            WindowEvent::KeyboardInput {
                is_synthetic: true, ..
            } => {}
            WindowEvent::KeyboardInput { event, .. } => self.key(&event),
            WindowEvent::Focused(false) => {
                self.release_all();
                self.set_grab(false);
            }
            WindowEvent::MouseInput { state, button, .. } => self.button(state, button),
            WindowEvent::MouseWheel { delta, .. } if self.grabbed => {
                let lines = match delta {
                    MouseScrollDelta::LineDelta(_, y) => f64::from(y),
                    MouseScrollDelta::PixelDelta(p) => p.y / 40.0,
                };
                self.send_mouse(0, 0, lines.round() as i32);
            }
            _ => {}
        }
    }

    fn device_event(&mut self, _: &ActiveEventLoop, _: DeviceId, event: DeviceEvent) {
        if let DeviceEvent::MouseMotion { delta: (dx, dy) } = event
            && self.grabbed
        {
            let (x, y) = (self.fraction.0 + dx, self.fraction.1 + dy);
            self.fraction = (x.fract(), y.fract());
            // Screens count down, mice count up.
            self.send_mouse(x.trunc() as i32, -(y.trunc() as i32), 0);
        }
    }
}

/// The HID usage of a key by its place on the keyboard.
fn hid_key(code: KeyCode) -> Option<HidKey> {
    use KeyCode as K;
    let usage = match code {
        K::KeyA => 0x04,
        K::KeyB => 0x05,
        K::KeyC => 0x06,
        K::KeyD => 0x07,
        K::KeyE => 0x08,
        K::KeyF => 0x09,
        K::KeyG => 0x0A,
        K::KeyH => 0x0B,
        K::KeyI => 0x0C,
        K::KeyJ => 0x0D,
        K::KeyK => 0x0E,
        K::KeyL => 0x0F,
        K::KeyM => 0x10,
        K::KeyN => 0x11,
        K::KeyO => 0x12,
        K::KeyP => 0x13,
        K::KeyQ => 0x14,
        K::KeyR => 0x15,
        K::KeyS => 0x16,
        K::KeyT => 0x17,
        K::KeyU => 0x18,
        K::KeyV => 0x19,
        K::KeyW => 0x1A,
        K::KeyX => 0x1B,
        K::KeyY => 0x1C,
        K::KeyZ => 0x1D,
        K::Digit1 => 0x1E,
        K::Digit2 => 0x1F,
        K::Digit3 => 0x20,
        K::Digit4 => 0x21,
        K::Digit5 => 0x22,
        K::Digit6 => 0x23,
        K::Digit7 => 0x24,
        K::Digit8 => 0x25,
        K::Digit9 => 0x26,
        K::Digit0 => 0x27,
        K::Enter => 0x28,
        K::Escape => 0x29,
        K::Backspace => 0x2A,
        K::Tab => 0x2B,
        K::Space => 0x2C,
        K::Minus => 0x2D,
        K::Equal => 0x2E,
        K::BracketLeft => 0x2F,
        K::BracketRight => 0x30,
        K::Backslash => 0x31,
        K::Semicolon => 0x33,
        K::Quote => 0x34,
        K::Backquote => 0x35,
        K::Comma => 0x36,
        K::Period => 0x37,
        K::Slash => 0x38,
        K::CapsLock => 0x39,
        K::F1 => 0x3A,
        K::F2 => 0x3B,
        K::F3 => 0x3C,
        K::F4 => 0x3D,
        K::F5 => 0x3E,
        K::F6 => 0x3F,
        K::F7 => 0x40,
        K::F8 => 0x41,
        K::F9 => 0x42,
        K::F10 => 0x43,
        K::F11 => 0x44,
        K::F12 => 0x45,
        K::PrintScreen => 0x46,
        K::ScrollLock => 0x47,
        K::Pause => 0x48,
        K::Insert => 0x49,
        K::Home => 0x4A,
        K::PageUp => 0x4B,
        K::Delete => 0x4C,
        K::End => 0x4D,
        K::PageDown => 0x4E,
        K::ArrowRight => 0x4F,
        K::ArrowLeft => 0x50,
        K::ArrowDown => 0x51,
        K::ArrowUp => 0x52,
        K::NumLock => 0x53,
        K::NumpadDivide => 0x54,
        K::NumpadMultiply => 0x55,
        K::NumpadSubtract => 0x56,
        K::NumpadAdd => 0x57,
        K::NumpadEnter => 0x58,
        K::Numpad1 => 0x59,
        K::Numpad2 => 0x5A,
        K::Numpad3 => 0x5B,
        K::Numpad4 => 0x5C,
        K::Numpad5 => 0x5D,
        K::Numpad6 => 0x5E,
        K::Numpad7 => 0x5F,
        K::Numpad8 => 0x60,
        K::Numpad9 => 0x61,
        K::Numpad0 => 0x62,
        K::NumpadDecimal => 0x63,
        K::IntlBackslash => 0x64,
        K::ContextMenu => 0x65,
        K::ControlLeft => 0xE0,
        K::ShiftLeft => 0xE1,
        K::AltLeft => 0xE2,
        K::SuperLeft => 0xE3,
        K::ControlRight => 0xE4,
        K::ShiftRight => 0xE5,
        K::AltRight => 0xE6,
        K::SuperRight => 0xE7,
        _ => return None,
    };
    Some(HidKey(usage))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_keeps_proportions_and_fills_the_rest_with_black() {
        let frame = Frame {
            width: 2,
            height: 1,
            pixels: vec![1, 2],
        };
        let mut out = vec![9; 16];
        scale(&frame, &mut out, 4, 4);
        assert_eq!(out, [0, 0, 0, 0, 1, 1, 2, 2, 1, 1, 2, 2, 0, 0, 0, 0]);
        scale(&Frame::default(), &mut out, 4, 4);
        assert!(out.iter().all(|p| *p == 0));
    }
}
