//! The machine in a terminal: text modes as characters with their colours, graphics as half blocks of two pixels
//! each. What is typed reaches the guest; Ctrl+] ends the run, as the bottom line says.

use super::{Ending, Picture, Screen, UiEvent, UiLink, defect, spawn_emulation};
use crate::exit::Mistake;
use crate::keys::{self, Chord};
use crate::session::Session;
use crate::text;
use crossterm::cursor::{Hide, MoveTo, SetCursorStyle, Show};
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::style::{Color, Print, ResetColor, SetBackgroundColor, SetForegroundColor};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode, size,
};
use crossterm::{execute, queue};
use emu_core::cap::TextScreen;
use emu_core::host::Frame;
use std::io::{self, IsTerminal, Stdout, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// How long the terminal waits for a key before it looks for a new picture.
const LOOK: Duration = Duration::from_millis(15);
const STATUS: &str = " Boxwood - Ctrl+] quits ";

/// One cell as the terminal shows it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Cell {
    glyph: char,
    foreground: u32,
    background: u32,
}

const BLANK: Cell = Cell {
    glyph: ' ',
    foreground: 0xAA_AAAA,
    background: 0,
};

/// What is on the terminal, so that only changes are sent.
struct Canvas {
    columns: usize,
    rows: usize,
    shown: Vec<Option<Cell>>,
    glyphs: Vec<char>,
}

/// Puts the terminal back however we leave.
struct RawTerminal;

impl RawTerminal {
    fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        let guard = Self;
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            Hide,
            Clear(ClearType::All)
        )?;
        Ok(guard)
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // Nothing better can be done if the terminal is gone.
        let _ = execute!(
            io::stdout(),
            ResetColor,
            SetCursorStyle::DefaultUserShape,
            Show,
            LeaveAlternateScreen
        );
        let _ = disable_raw_mode();
    }
}

/// Shows the session in the terminal until either ends.
pub fn run(session: Session) -> Ending {
    let no_terminal = |e: io::Error| Mistake::usage(format!("the terminal cannot be used: {e}"));
    let (tx, rx) = channel();
    let screen = Screen::default();
    let link = UiLink {
        events: rx,
        screen: screen.clone(),
        notify: Box::new(|| {}),
    };
    let finished = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&finished);
    let raw = RawTerminal::enter().map_err(no_terminal)?;
    let session = session.with_ui(Some(link));
    let emulation = spawn_emulation(
        move || session.run(),
        move || flag.store(true, Ordering::Release),
    );
    let send = |event| tx.send(event).is_ok();
    let hung_up = hang_up();
    let over = || finished.load(Ordering::Acquire) || hung_up();
    let shown = interact(&screen, over, send);
    // The run may have ended already; then nobody listens.
    let _ = tx.send(UiEvent::Quit);
    let outcome = emulation.join().unwrap_or_else(|_| Ok(defect()));
    drop(raw);
    shown.map_err(no_terminal)?;
    outcome
}

/// Tells whether the terminal is gone: what was one at the start is none any more.
fn hang_up() -> impl Fn() -> bool {
    let ends = || [io::stdin().is_terminal(), io::stdout().is_terminal()];
    let before = ends();
    move || {
        before
            .iter()
            .zip(ends())
            .any(|(before, now)| *before && !now)
    }
}

/// What the terminal tells. A thread of its own reads, because the reader does not come back from a terminal that is
/// gone; it ends with the program.
fn terminal_events() -> Receiver<io::Result<Event>> {
    let (tx, rx) = channel();
    std::thread::spawn(move || {
        loop {
            let event = event::read();
            let failed = event.is_err();
            if tx.send(event).is_err() || failed {
                return;
            }
        }
    });
    rx
}

fn interact(
    screen: &Screen,
    over: impl Fn() -> bool,
    send: impl Fn(UiEvent) -> bool,
) -> io::Result<()> {
    let mut out = io::stdout();
    let mut picture = Picture::default();
    let mut canvas = Canvas::new()?;
    let events = terminal_events();
    while !over() {
        match events.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Ok(event) => match event? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    if is_quit(&key) {
                        return Ok(());
                    }
                    if let Some(chord) = chord(&key)
                        && !send(UiEvent::Typed(chord))
                    {
                        return Ok(());
                    }
                }
                Event::Resize(..) => {
                    canvas = Canvas::new()?;
                    queue!(out, ResetColor, Clear(ClearType::All))?;
                    canvas.draw(&picture, &mut out)?;
                }
                _ => {}
            },
        }
        if screen.take(&mut picture) {
            canvas.draw(&picture, &mut out)?;
        }
    }
    Ok(())
}

fn is_quit(key: &KeyEvent) -> bool {
    // A terminal sends Ctrl+] as 1Dh, which reads as Ctrl+5 on some.
    key.modifiers.contains(KeyModifiers::CONTROL) && matches!(key.code, KeyCode::Char(']' | '5'))
}

/// The keys that a terminal's key event stands for.
fn chord(event: &KeyEvent) -> Option<Chord> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    let shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let name = match event.code {
        KeyCode::Char(c) => return keys::chord_of(c, ctrl, alt),
        KeyCode::F(n) => format!("f{n}"),
        KeyCode::Enter => "enter".into(),
        KeyCode::Esc => "esc".into(),
        KeyCode::Backspace => "backspace".into(),
        KeyCode::Tab | KeyCode::BackTab => "tab".into(),
        KeyCode::Left => "left".into(),
        KeyCode::Right => "right".into(),
        KeyCode::Up => "up".into(),
        KeyCode::Down => "down".into(),
        KeyCode::Home => "home".into(),
        KeyCode::End => "end".into(),
        KeyCode::PageUp => "pgup".into(),
        KeyCode::PageDown => "pgdn".into(),
        KeyCode::Insert => "ins".into(),
        KeyCode::Delete => "del".into(),
        _ => return None,
    };
    let key = keys::named(&name)?;
    Some(keys::with_modifiers(
        key,
        ctrl,
        shift || event.code == KeyCode::BackTab,
        alt,
    ))
}

impl Canvas {
    fn new() -> io::Result<Self> {
        let (columns, rows) = size()?;
        let (columns, rows) = (usize::from(columns.max(1)), usize::from(rows.max(2)));
        Ok(Self {
            columns,
            rows,
            shown: vec![None; columns * rows],
            glyphs: text::glyphs(),
        })
    }

    fn draw(&mut self, picture: &Picture, out: &mut Stdout) -> io::Result<()> {
        let mut bytes = Vec::new();
        // The last row says how to leave.
        let room = self.rows - 1;
        let cells = match &picture.text {
            Some(screen) => self.text_cells(screen, room),
            None => self.pixel_cells(&picture.frame, room),
        };
        let mut at = None;
        let mut colours = None;
        let status = self.status(picture.text.as_ref());
        for (i, cell) in cells.into_iter().chain(status).enumerate() {
            if self.shown[i] == Some(cell) {
                continue;
            }
            self.shown[i] = Some(cell);
            if at != Some(i) || i % self.columns == 0 {
                let (x, y) = (i % self.columns, i / self.columns);
                queue!(bytes, MoveTo(x as u16, y as u16))?;
            }
            if colours != Some((cell.foreground, cell.background)) {
                queue!(
                    bytes,
                    SetForegroundColor(rgb(cell.foreground)),
                    SetBackgroundColor(rgb(cell.background))
                )?;
                colours = Some((cell.foreground, cell.background));
            }
            queue!(bytes, Print(cell.glyph))?;
            at = Some(i + 1);
        }
        match picture.text.as_ref().and_then(|t| t.cursor) {
            Some((x, y)) if x < self.columns => {
                let top = picture.text.as_ref().map_or(0, |t| top_row(t, room));
                queue!(bytes, MoveTo(x as u16, (y - top) as u16), Show)?;
            }
            _ => queue!(bytes, Hide)?,
        }
        out.write_all(&bytes)?;
        out.flush()
    }

    /// The last line: how to leave, and what a larger terminal would show.
    fn status(&self, text: Option<&TextScreen>) -> Vec<Cell> {
        let mut words = STATUS.to_string();
        if let Some(t) = text
            && (t.columns > self.columns || t.rows + 1 > self.rows)
        {
            let (columns, rows) = (t.columns, t.rows + 1);
            words += &format!("- a terminal of {columns}x{rows} shows the whole screen ");
        }
        let mut row = vec![BLANK; self.columns];
        for (cell, glyph) in row.iter_mut().zip(words.chars()) {
            *cell = Cell {
                glyph,
                foreground: 0,
                background: 0xAA_AAAA,
            };
        }
        row
    }

    fn text_cells(&self, screen: &TextScreen, room: usize) -> Vec<Cell> {
        let mut cells = vec![BLANK; self.columns * room];
        let top = top_row(screen, room);
        for y in 0..screen.rows.min(room) {
            for x in 0..screen.columns.min(self.columns) {
                let Some(c) = screen.cells.get((top + y) * screen.columns + x) else {
                    continue;
                };
                let background_bits = if screen.blink { 7 } else { 15 };
                let glyph = match c.character {
                    0 | 0xFF => ' ',
                    n => self.glyphs[usize::from(n)],
                };
                cells[y * self.columns + x] = Cell {
                    glyph,
                    foreground: screen.palette[usize::from(c.attribute & 15)],
                    background: screen.palette[usize::from((c.attribute >> 4) & background_bits)],
                };
            }
        }
        cells
    }

    /// Two pixels, one above the other, in each cell.
    fn pixel_cells(&self, frame: &Frame, room: usize) -> Vec<Cell> {
        let mut cells = vec![BLANK; self.columns * room];
        if frame.width == 0 || frame.height == 0 {
            return cells;
        }
        let (width, height) = (self.columns, room * 2);
        let (w, h) = if width * frame.height <= height * frame.width {
            (width, (width * frame.height / frame.width).max(1))
        } else {
            ((height * frame.width / frame.height).max(1), height)
        };
        let pixel = |x: usize, y: usize| {
            if y < h {
                frame.pixels[y * frame.height / h * frame.width + x * frame.width / w]
            } else {
                0
            }
        };
        for y in 0..h.div_ceil(2) {
            for x in 0..w {
                cells[y * self.columns + x] = Cell {
                    glyph: '▀',
                    foreground: pixel(x, 2 * y),
                    background: pixel(x, 2 * y + 1),
                };
            }
        }
        cells
    }
}

/// The first row that is shown of a screen with more rows than there is room for: the cursor stays in sight.
fn top_row(screen: &TextScreen, room: usize) -> usize {
    screen
        .cursor
        .map_or(0, |(_, y)| (y + 1).saturating_sub(room))
}

fn rgb(colour: u32) -> Color {
    Color::Rgb {
        r: (colour >> 16) as u8,
        g: (colour >> 8) as u8,
        b: colour as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emu_core::cap::TextCell;

    fn canvas(columns: usize, rows: usize) -> Canvas {
        Canvas {
            columns,
            rows,
            shown: vec![None; columns * rows],
            glyphs: text::glyphs(),
        }
    }

    #[test]
    fn text_keeps_its_colours_and_bright_backgrounds_need_blink_off() {
        let mut palette = [0; 16];
        for (i, p) in palette.iter_mut().enumerate() {
            *p = i as u32;
        }
        let cell = TextCell {
            character: 0xB0,
            attribute: 0x9E,
        };
        let mut screen = TextScreen {
            columns: 1,
            rows: 1,
            cells: vec![cell],
            palette,
            blink: true,
            ..TextScreen::default()
        };
        let cells = canvas(3, 3).text_cells(&screen, 2);
        assert_eq!(cells.len(), 6);
        assert_eq!(
            (cells[0].glyph, cells[0].foreground, cells[0].background),
            ('░', 14, 1)
        );
        screen.blink = false;
        assert_eq!(canvas(3, 3).text_cells(&screen, 2)[0].background, 9);
    }

    #[test]
    fn a_small_terminal_keeps_the_cursor_in_sight_and_says_what_it_lacks() {
        let cells = (0..6).map(|i| TextCell {
            character: b'0' + i,
            attribute: 7,
        });
        let mut screen = TextScreen {
            columns: 1,
            rows: 6,
            cells: cells.collect(),
            ..TextScreen::default()
        };
        let shown = |screen: &TextScreen| -> String {
            let cells = canvas(1, 4).text_cells(screen, 3);
            cells.iter().map(|c| c.glyph).collect()
        };
        assert_eq!(shown(&screen), "012");
        screen.cursor = Some((0, 2));
        assert_eq!(shown(&screen), "012");
        screen.cursor = Some((0, 5));
        assert_eq!(shown(&screen), "345");
        let line = |canvas: &Canvas| -> String {
            let cells = canvas.status(Some(&screen));
            cells.iter().map(|c| c.glyph).collect()
        };
        assert!(line(&canvas(80, 6)).contains("a terminal of 1x7 shows"));
        assert_eq!(line(&canvas(80, 7)).trim_end(), STATUS.trim_end());
    }

    #[test]
    fn a_half_block_shows_two_pixels() {
        let frame = Frame {
            width: 1,
            height: 2,
            pixels: vec![0x11, 0x22],
        };
        let cells = canvas(1, 2).pixel_cells(&frame, 1);
        assert_eq!((cells[0].foreground, cells[0].background), (0x11, 0x22));
    }

    #[test]
    fn control_right_bracket_quits_and_other_keys_reach_the_guest() {
        let key = |code, modifiers| KeyEvent::new(code, modifiers);
        assert!(is_quit(&key(KeyCode::Char(']'), KeyModifiers::CONTROL)));
        assert!(!is_quit(&key(KeyCode::Char(']'), KeyModifiers::NONE)));
        let c = chord(&key(KeyCode::Char('c'), KeyModifiers::CONTROL)).unwrap();
        assert_eq!(c.0.iter().map(|k| k.0).collect::<Vec<_>>(), [0xE0, 0x06]);
    }
}
