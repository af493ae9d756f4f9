//! The window, as a user meets it: on an X server of its own (Xvfb), looked at and used by another program. The
//! test asks again and again until something is so, a bounded number of times.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::Duration;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ClientMessageEvent, ConfigureWindowAux,
    ConnectionExt as _, EventMask, ImageFormat, InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
    MOTION_NOTIFY_EVENT, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

const TRIES: u32 = 1200;
const PAUSE: Duration = Duration::from_millis(100);

/// Keys as an X server with evdev's numbers counts them.
const KEY_ESC: u8 = 9;
const KEY_1: u8 = 10;
const KEY_8: u8 = 17;
const KEY_9: u8 = 18;
const KEY_LEFT_CTRL: u8 = 37;
const KEY_A: u8 = 38;
const KEY_LEFT_ALT: u8 = 64;

/// A program that ends with the test.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks until the answer is there.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..TRIES {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("{what} did not come");
}

/// What a window needs on an X desktop besides the server, and Debian's packages of it.
const LIBRARIES: [(&str, &str); 5] = [
    ("libX11.so.6", "libx11-6"),
    ("libX11-xcb.so.1", "libx11-xcb1"),
    ("libXcursor.so.1", "libxcursor1"),
    ("libXi.so.6", "libxi6"),
    ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
];

/// Installs what of the server and the libraries is missing, once for all tests.
fn install() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        let known = Command::new("/sbin/ldconfig").arg("-p").output();
        let known = known.expect("ldconfig lists the libraries that there are");
        let known = String::from_utf8_lossy(&known.stdout).into_owned();
        let is_missing = |(file, _): &&(&str, &str)| !known.contains(file);
        let mut packages: Vec<_> = LIBRARIES.iter().filter(is_missing).map(|l| l.1).collect();
        let mut server = Command::new("Xvfb");
        if server
            .arg("-version")
            .stderr(Stdio::null())
            .status()
            .is_err()
        {
            packages.push("xvfb");
        }
        if packages.is_empty() {
            return;
        }
        let apt_get = |words: &[&str]| {
            let status = Command::new("apt-get")
                .args(["-qq", "-y", "-o", "DPkg::Lock::Timeout=300"])
                .args(words)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .status();
            status.is_ok_and(|s| s.success())
        };
        let words = [&["install"], packages.as_slice()].concat();
        // A fresh system has no lists of packages yet.
        let installed = apt_get(&words) || (apt_get(&["update"]) && apt_get(&words));
        let packages = packages.join(" ");
        assert!(installed, "this test needs: apt-get install {packages}");
    });
}

/// Starts an X server with a screen of 1600x1000; gives its display.
fn start_server() -> (Guard, String) {
    install();
    let server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1600x1000x24"])
        .args(["-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut server = Guard(server.expect("Xvfb starts"));
    let mut number = String::new();
    BufReader::new(server.0.stdout.take().unwrap())
        .read_line(&mut number)
        .unwrap();
    assert!(!number.trim().is_empty(), "Xvfb found no display");
    (server, format!(":{}", number.trim()))
}

/// A picture of 00RRGGBB pixels.
#[derive(PartialEq)]
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u32>,
}

impl Picture {
    fn read(path: &Path) -> Option<Self> {
        let file = fs::File::open(path).ok()?;
        let mut decoder = png::Decoder::new(BufReader::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().ok()?;
        let mut bytes = vec![0; reader.output_buffer_size()?];
        let info = reader.next_frame(&mut bytes).ok()?;
        let pixel = |b: &[u8]| u32::from_be_bytes([0, b[0], b[1], b[2]]);
        Some(Self {
            width: info.width as usize,
            height: info.height as usize,
            pixels: bytes.chunks(3).map(pixel).collect(),
        })
    }

    fn write(&self, path: &Path) {
        let file = fs::File::create(path).unwrap();
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let rgb = |p: &u32| p.to_be_bytes()[1..].to_vec();
        let bytes: Vec<u8> = self.pixels.iter().flat_map(rgb).collect();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&bytes).unwrap();
    }

    fn scaled(&self, factor: usize) -> Self {
        let (width, height) = (self.width * factor, self.height * factor);
        let at = |i: usize| {
            let (x, y) = (i % width / factor, i / width / factor);
            self.pixels[y * self.width + x]
        };
        Self {
            width,
            height,
            pixels: (0..width * height).map(at).collect(),
        }
    }
}

/// The desktop as another program sees it.
struct Desktop {
    x: RustConnection,
    root: Window,
}

impl Desktop {
    fn connect(display: &str) -> Self {
        let (x, screen) = x11rb::connect(Some(display)).expect("the X server answers");
        let root = x.setup().roots[screen].root;
        Self { x, root }
    }

    fn title(&self, window: Window) -> String {
        let kind = AtomEnum::ANY;
        let name = self.atom("_NET_WM_NAME");
        let property = self.x.get_property(false, window, name, kind, 0, 100);
        property
            .unwrap()
            .reply()
            .map(|p| String::from_utf8_lossy(&p.value).into_owned())
            .unwrap_or_default()
    }

    fn atom(&self, name: &str) -> u32 {
        let atom = self.x.intern_atom(false, name.as_bytes()).unwrap();
        atom.reply().unwrap().atom
    }

    fn find(&self) -> Option<Window> {
        let tree = self.x.query_tree(self.root).unwrap().reply().unwrap();
        let ours = |w: &Window| self.title(*w).starts_with("Boxwood");
        tree.children.into_iter().find(ours)
    }

    fn capture(&self, window: Window) -> Option<Picture> {
        let size = self.x.get_geometry(window).ok()?.reply().ok()?;
        let image = self
            .x
            .get_image(
                ImageFormat::Z_PIXMAP,
                window,
                0,
                0,
                size.width,
                size.height,
                !0,
            )
            .ok()?
            .reply()
            .ok()?;
        let pixel = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], 0]);
        Some(Picture {
            width: size.width.into(),
            height: size.height.into(),
            pixels: image.data.chunks(4).map(pixel).collect(),
        })
    }

    /// Waits until the window shows exactly this.
    fn shows(&self, window: Window, what: &str, wanted: &Picture) {
        until(what, || {
            self.capture(window).filter(|p| p == wanted).map(drop)
        });
    }

    fn focus(&self, window: Window) {
        let now = x11rb::CURRENT_TIME;
        let set = self.x.set_input_focus(InputFocus::PARENT, window, now);
        set.unwrap().check().unwrap();
    }

    fn fake(&self, event: u8, detail: u8, x: i16, y: i16) {
        let sent = self
            .x
            .xtest_fake_input(event, detail, 0, self.root, x, y, 0);
        sent.unwrap().check().unwrap();
    }

    fn key(&self, key: u8) {
        self.fake(KEY_PRESS_EVENT, key, 0, 0);
        // A guest's keyboard needs the key for longer than no time at all.
        std::thread::sleep(PAUSE);
        self.fake(KEY_RELEASE_EVENT, key, 0, 0);
    }

    fn resize(&self, window: Window, width: u32, height: u32) {
        let size = ConfigureWindowAux::new().width(width).height(height);
        let set = self.x.configure_window(window, &size);
        set.unwrap().check().unwrap();
    }

    /// What a window manager sends when its close button is pressed.
    fn close(&self, window: Window) {
        let (kind, close) = (self.atom("WM_PROTOCOLS"), self.atom("WM_DELETE_WINDOW"));
        let event = ClientMessageEvent::new(32, window, kind, [close, 0, 0, 0, 0]);
        let sent = self.x.send_event(false, window, EventMask::NO_EVENT, event);
        sent.unwrap().check().unwrap();
    }
}

fn boxwood(display: &str, folder: &Path, steps: &[&str]) -> Guard {
    let child = Command::new(env!("CARGO_BIN_EXE_boxwood"))
        .args(["run", "--display", "window"])
        .args(steps)
        .current_dir(folder)
        .env("DISPLAY", display)
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .spawn();
    Guard(child.expect("boxwood starts"))
}

/// The exit code, once the program has ended.
fn code(program: &mut Guard) -> Option<i32> {
    let status = until("the end of boxwood", || program.0.try_wait().unwrap());
    status.code()
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn the_window_shows_the_machine_takes_keys_and_mouse_and_closes() {
    let (_server, display) = start_server();
    let folder = folder("window");
    let steps = [
        ["--expect-screen", "Press the key of what you want to see."],
        ["--screenshot", "menu.png"],
        ["--expect-screen", "Esc goes back"],
        ["--screenshot", "keyboard.png"],
        ["--expect-screen", "1E 9E"],
        ["--screenshot", "released.png"],
        ["--expect-screen", "Move the mouse"],
        ["--screenshot", "mouse.png"],
        ["--expect-screen", "Pointer at 360, 220"],
        ["--screenshot", "pointer.png"],
    ];
    let mut program = boxwood(&display, &folder, &steps.concat());
    let desktop = Desktop::connect(&display);
    let window = until("the window", || desktop.find());
    let mut file = |name: &str| {
        assert!(program.0.try_wait().unwrap().is_none(), "boxwood has ended");
        let path = folder.join(name);
        until(name, || Picture::read(&path))
    };

    // The same picture as the machine's own, pixel for pixel.
    let menu = file("menu.png");
    assert_eq!((menu.width, menu.height), (720, 400));
    desktop.shows(window, "the menu", &menu);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images/demo.png");
    if !kept.exists() && std::env::var_os("BOXWOOD_WRITE_GOLDEN").is_some() {
        desktop.capture(window).unwrap().write(&kept);
    }
    assert!(
        Picture::read(&kept).unwrap() == menu,
        "docs/images/demo.png is old"
    );

    // A key reaches the guest.
    desktop.focus(window);
    desktop.key(KEY_1);
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo");
    let processor = Picture::read(&pages.join("1-processor.png")).unwrap();
    desktop.shows(window, "the page of the processor", &processor);
    desktop.key(KEY_ESC);
    desktop.shows(window, "the menu after the page", &menu);

    // Sizes: twice as large, tiny, very large, and back.
    desktop.resize(window, 1440, 800);
    desktop.shows(window, "the menu, twice as large", &menu.scaled(2));
    for (width, height) in [(1, 1), (3000, 2000), (3, 900), (900, 3)] {
        desktop.resize(window, width, height);
        std::thread::sleep(PAUSE);
    }
    desktop.resize(window, 720, 400);
    desktop.shows(window, "the menu in its own size", &menu);

    // A key that is held when the focus goes does not stay down in the guest.
    desktop.key(KEY_8);
    file("keyboard.png");
    desktop.fake(KEY_PRESS_EVENT, KEY_A, 0, 0);
    std::thread::sleep(PAUSE);
    desktop.focus(desktop.root);
    file("released.png");
    desktop.fake(KEY_RELEASE_EVENT, KEY_A, 0, 0);
    desktop.focus(window);
    desktop.key(KEY_ESC);
    desktop.shows(window, "the menu after the keyboard", &menu);

    // A click gives the mouse to the guest, Ctrl+Alt takes it back; the title says so.
    desktop.key(KEY_9);
    file("mouse.png");
    assert!(desktop.title(window).contains("a click gives the mouse"));
    desktop.fake(MOTION_NOTIFY_EVENT, 0, 300, 200);
    desktop.fake(BUTTON_PRESS_EVENT, 1, 0, 0);
    desktop.fake(BUTTON_RELEASE_EVENT, 1, 0, 0);
    let released = "Ctrl+Alt releases the mouse";
    until("the title of a grab", || {
        desktop.title(window).contains(released).then_some(())
    });
    desktop.fake(MOTION_NOTIFY_EVENT, 1, 40, 20);
    file("pointer.png");
    desktop.fake(KEY_PRESS_EVENT, KEY_LEFT_CTRL, 0, 0);
    desktop.fake(KEY_PRESS_EVENT, KEY_LEFT_ALT, 0, 0);
    until("the title without a grab", || {
        (!desktop.title(window).contains(released)).then_some(())
    });
    desktop.fake(KEY_RELEASE_EVENT, KEY_LEFT_ALT, 0, 0);
    desktop.fake(KEY_RELEASE_EVENT, KEY_LEFT_CTRL, 0, 0);

    desktop.close(window);
    assert_eq!(code(&mut program), Some(0));
}

#[test]
fn a_window_that_is_closed_while_the_machine_boots_ends_the_run() {
    let (_server, display) = start_server();
    let folder = folder("window-closed");
    let desktop = Desktop::connect(&display);
    let mut program = boxwood(&display, &folder, &[]);
    desktop.close(until("the window", || desktop.find()));
    assert_eq!(code(&mut program), Some(0));
    // An expectation that was not met is exit code 125.
    let mut program = boxwood(&display, &folder, &["--expect-screen", "(never)"]);
    desktop.close(until("the window", || desktop.find()));
    assert_eq!(code(&mut program), Some(125));
}

#[test]
fn without_a_desktop_one_sentence_says_what_works_instead() {
    let out = Command::new(env!("CARGO_BIN_EXE_boxwood"))
        .args(["run", "--display", "window"])
        .env("DISPLAY", ":7777")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(64), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("--display terminal"), "{said}");
    assert!(!said.contains(".rs"), "{said}");
}
