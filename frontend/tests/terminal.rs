//! The terminal display, in a pseudo-terminal that `script` makes (every Debian has it): what it draws is put
//! together by a model of a terminal that knows what Boxwood sends.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const TRIES: u32 = 1200;
const PAUSE: Duration = Duration::from_millis(100);

/// What stands in a cell: character, foreground and background as the terminal was told.
type Cell = (char, String, String);

/// A terminal as far as Boxwood uses one.
#[derive(Default)]
struct Terminal {
    cells: BTreeMap<(usize, usize), Cell>,
    row: usize,
    column: usize,
    foreground: String,
    background: String,
    alternate: bool,
    /// What was written on the ordinary screen.
    ordinary: String,
    waiting: String,
}

impl Terminal {
    fn take(&mut self, text: &str) {
        self.waiting.push_str(text);
        let text = std::mem::take(&mut self.waiting);
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            if c != '\x1b' {
                self.put(c);
                rest = &rest[c.len_utf8()..];
                continue;
            }
            // ESC [ parameters letter.
            let Some(end) = rest.find(|c: char| c.is_ascii_alphabetic()) else {
                self.waiting = rest.into();
                return;
            };
            let (parameters, letter) = (rest.get(2..end).unwrap_or(""), &rest[end..=end]);
            self.control(parameters, letter);
            rest = &rest[end + 1..];
        }
    }

    fn put(&mut self, c: char) {
        if !self.alternate {
            self.ordinary.push(c);
            return;
        }
        let cell = (c, self.foreground.clone(), self.background.clone());
        self.cells.insert((self.row, self.column), cell);
        self.column += 1;
    }

    fn control(&mut self, parameters: &str, letter: &str) {
        match letter {
            "H" => {
                let mut numbers = parameters.split(';').map(|n| n.parse().unwrap_or(1));
                self.row = numbers.next().unwrap_or(1) - 1;
                self.column = numbers.next().unwrap_or(1) - 1;
            }
            "h" | "l" if parameters == "?1049" => self.alternate = letter == "h",
            "J" => self.cells.clear(),
            "m" => {
                for (start, colour) in
                    [("38;", &mut self.foreground), ("48;", &mut self.background)]
                {
                    if let Some(at) = parameters.find(start) {
                        *colour = parameters[at..].into();
                    }
                }
            }
            _ => {}
        }
    }

    fn line(&self, row: usize) -> String {
        let cells = self.cells.range((row, 0)..(row + 1, 0));
        cells.map(|(_, c)| c.0).collect()
    }

    fn shows(&self, text: &str) -> bool {
        (0..60).any(|row| self.line(row).contains(text))
    }
}

struct Run {
    child: Child,
    keys: ChildStdin,
    output: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
    terminal: Terminal,
}

impl Run {
    /// Starts boxwood in a terminal of that size; behind it the shell says the exit code and the terminal's state.
    fn start(columns: u32, rows: u32) -> Self {
        let boxwood = env!("CARGO_BIN_EXE_boxwood");
        let command = format!(
            "stty cols {columns} rows {rows}; \
             sh -c 'echo pid=$$; exec \"$0\" run --display terminal' '{boxwood}'; \
             echo \"code=$?\"; stty -a"
        );
        let mut child = Command::new("script")
            .args(["-q", "-f", "-c", &command, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs the program script: apt-get install bsdutils");
        let mut out = child.stdout.take().unwrap();
        let keys = child.stdin.take().unwrap();
        let (tx, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut buffer) {
                if tx.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keys,
            output,
            bytes: Vec::new(),
            terminal: Terminal::default(),
        }
    }

    /// The number of boxwood's process.
    fn pid(&self) -> String {
        let said = self.terminal.ordinary.split("pid=").nth(1);
        let pid = said.and_then(|s| s.split_whitespace().next());
        pid.expect("the shell said it").into()
    }

    fn until(&mut self, what: &str, done: impl Fn(&Terminal) -> bool) {
        for _ in 0..TRIES {
            if let Ok(more) = self.output.recv_timeout(PAUSE) {
                self.bytes.extend(more);
                // A character may be cut in two.
                let whole = match std::str::from_utf8(&self.bytes) {
                    Ok(_) => self.bytes.len(),
                    Err(e) => e.valid_up_to(),
                };
                let text: Vec<u8> = self.bytes.drain(..whole).collect();
                self.terminal.take(&String::from_utf8(text).unwrap());
            }
            if done(&self.terminal) {
                return;
            }
        }
        let lines: Vec<String> = (0..30).map(|row| self.terminal.line(row)).collect();
        let ordinary = &self.terminal.ordinary;
        panic!("{what} did not come:\n{}\n{ordinary}", lines.join("\n"));
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const MENU: &str = "Press the key of what you want to see.";

#[test]
fn the_demo_in_a_terminal_with_colours_and_half_blocks_and_the_terminal_as_it_was_afterwards() {
    let mut run = Run::start(90, 30);
    run.until("the menu", |t| t.shows(MENU));
    let t = &run.terminal;
    assert!(t.line(29).contains("Ctrl+] quits"), "{}", t.line(29));
    assert!(!t.line(29).contains("shows the whole screen"));
    assert!(
        t.shows("└──┬──┘") && t.shows("═══╧═════════╧"),
        "the code page"
    );
    // The upper bar: black on cyan.
    let (c, foreground, background) = &t.cells[&(0, 2)];
    assert_eq!(*c, 'D');
    assert_eq!(foreground, "38;2;0;0;0");
    assert_eq!(background, "48;2;0;170;170");
    run.press("3");
    run.until("the page of the colours", |t| {
        t.shows("All 256 colour pairs")
    });
    assert!(run.terminal.shows("☺ ☻ ♥ ♦ ♣ ♠"), "code page 437");
    run.press(" ");
    run.until("the menu after the colours", |t| t.shows(MENU));
    // Plasma in half blocks over the whole width, then a key for its last picture and one for the menu.
    run.press("4");
    run.until("the plasma", |t| {
        t.line(3).chars().filter(|c| *c == '▀').count() > 80
    });
    run.press(" ");
    std::thread::sleep(PAUSE * 10);
    run.press(" ");
    run.until("the menu after the plasma", |t| t.shows(MENU));
    // Ctrl+C belongs to the guest: its keyboard page shows Ctrl and C.
    run.press("8");
    run.until("the page of the keyboard", |t| t.shows("Esc goes back"));
    run.press("\x03");
    run.until("Ctrl and C", |t| t.shows("1D 2E AE 9D"));
    run.press("\x1d");
    run.until("the shell", |t| t.ordinary.contains(" echo "));
    let said = &run.terminal.ordinary;
    assert!(said.contains("code=0"), "{said}");
    assert!(
        said.contains(" icanon") && !said.contains("-icanon"),
        "{said}"
    );
}

#[test]
fn a_small_terminal_says_what_it_lacks() {
    let mut run = Run::start(80, 24);
    run.until("the menu", |t| t.shows("PIT RTC"));
    let line = run.terminal.line(23);
    assert!(line.contains("Ctrl+] quits"), "{line}");
    assert!(line.contains("80x26 shows the whole screen"), "{line}");
}

#[test]
fn a_signal_ends_the_run_and_leaves_the_terminal_as_it_was() {
    let mut run = Run::start(80, 26);
    run.until("the menu", |t| t.shows(MENU));
    let killed = Command::new("sh")
        .args(["-c", &format!("kill -TERM {}", run.pid())])
        .status();
    assert!(killed.unwrap().success());
    run.until("the shell", |t| t.ordinary.contains(" echo "));
    let said = &run.terminal.ordinary;
    assert!(said.contains("code=143"), "{said}");
    assert!(
        said.contains(" icanon") && !said.contains("-icanon"),
        "{said}"
    );
}

#[test]
fn a_terminal_that_goes_away_ends_the_run() {
    let mut run = Run::start(80, 26);
    run.until("the menu", |t| t.shows(MENU));
    let process = std::path::PathBuf::from(format!("/proc/{}", run.pid()));
    assert!(process.exists());
    run.child.kill().unwrap();
    run.child.wait().unwrap();
    for _ in 0..TRIES {
        if !process.exists() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("boxwood runs on without its terminal");
}
