//! The demo disk, driven through every item of its menu by the keyboard and the mouse of a script. What each page
//! shows is compared with the files in `tests/demo`: the characters of text pages, and a picture of every page,
//! pixel for pixel.
//!
//! The moving pages stand still at their last picture when a key is pressed, so no picture depends on how long the
//! firmware took before. To renew a file after a change that was meant, delete it, run this test with
//! `BOXWOOD_WRITE_GOLDEN=1` in the environment, and look at what was written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MENU: &str = "Press the key of what you want to see.";
const BACK: &str = "Press any key to go back to the menu.";

/// A tour of the disk, as a command line.
struct Tour {
    folder: PathBuf,
    args: Vec<String>,
    /// Pages whose picture (and characters) are kept.
    kept: Vec<(&'static str, bool)>,
}

impl Tour {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let args = ["run", "--display", "none", "--timeout-insns", "5G"];
        Self {
            folder,
            args: args.map(String::from).to_vec(),
            kept: Vec::new(),
        }
    }

    fn step(&mut self, option: &str, value: &str) -> &mut Self {
        self.args.extend([option.into(), value.into()]);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.step("--expect-screen", text)
    }

    fn keys(&mut self, keys: &str) -> &mut Self {
        self.step("--type", keys)
    }

    fn wait(&mut self, time: &str) -> &mut Self {
        self.step("--wait", time)
    }

    /// Keeps the page that the screen shows now.
    fn keep(&mut self, name: &'static str, text: bool) -> &mut Self {
        self.kept.push((name, text));
        self.step("--screenshot", &format!("{name}.png"));
        if text {
            self.step("--screenshot", &format!("{name}.txt"));
        }
        self
    }

    /// A page of text that ends with any key.
    fn page(&mut self, key: &str, name: &'static str) -> &mut Self {
        self.keys(key).text(BACK).keep(name, true);
        self.keys("<esc>").text(MENU)
    }

    /// A moving page: two pictures on the way, then a key, and the last picture.
    fn moving(&mut self, name: &'static str) -> &mut Self {
        self.wait("60ms")
            .step("--screenshot", &format!("{name}-a.png"));
        self.wait("60ms")
            .step("--screenshot", &format!("{name}-b.png"));
        self.keys(" ").wait("100ms").keep(name, false);
        self.keys(" ")
    }

    fn run(&self) -> Output {
        Command::new(env!("CARGO_BIN_EXE_boxwood"))
            .args(&self.args)
            .current_dir(&self.folder)
            .env_remove("BOXWOOD_LOG")
            .output()
            .unwrap()
    }

    /// What differs from the kept files.
    fn differences(&self) -> Vec<String> {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo");
        let write = std::env::var_os("BOXWOOD_WRITE_GOLDEN").is_some();
        let mut wrong = Vec::new();
        for &(name, text) in &self.kept {
            for ending in ["png", "txt"].iter().take(1 + usize::from(text)) {
                let file = format!("{name}.{ending}");
                let (is, wanted) = (self.folder.join(&file), kept.join(&file));
                if write && !wanted.exists() {
                    fs::copy(&is, &wanted).unwrap();
                }
                let same = match *ending {
                    "png" => wanted.exists() && pixels(&is) == pixels(&wanted),
                    _ => fs::read(&is).ok() == fs::read(&wanted).ok(),
                };
                if !same {
                    wrong.push(format!(
                        "{} differs from {}",
                        is.display(),
                        wanted.display()
                    ));
                }
            }
        }
        wrong
    }
}

/// Width and height in pixels, and the colour of each.
fn pixels(path: &Path) -> (u32, u32, Vec<u8>) {
    let file = fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut decoder = png::Decoder::new(std::io::BufReader::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    (info.width, info.height, bytes)
}

#[test]
fn every_item_of_the_menu_shows_its_page_and_leads_back() {
    let mut tour = Tour::new("demo-tour");
    tour.text(MENU).keep("menu", true);
    tour.page("1", "1-processor").page("2", "2-memory");
    tour.page("3", "3-text");
    tour.keys("4").moving("4-plasma").text(MENU);
    tour.keys("5").moving("5-flip").moving("5-scroll");
    tour.text(MENU);
    tour.keys("6").moving("6-vbe").text(MENU);
    tour.keys("7").text("Both have fired").text(BACK);
    tour.keep("7-timers", true).keys("<esc>").text(MENU);
    // Two keys of one code, two of a long one, and the one that only goes down.
    tour.keys("8").text("Esc goes back");
    tour.keys("aB<left><altgr><pause>").keep("8-keyboard", true);
    tour.keys("<esc>").text(MENU);
    tour.keys("9").text("Move the mouse");
    tour.step("--mouse", "100,-60").step("--mouse", "0,0,lm");
    tour.step("--mouse", "-17,30,r").keep("9-mouse", true);
    tour.step("--mouse", "-600,600").wait("50ms");
    tour.keep("9-corner", true);
    tour.keys("<esc>").text(MENU);
    tour.page("A", "a-pci").page("b", "b-floppy");
    tour.page("c", "c-speaker").page("D", "d-protected");
    tour.page("e", "e-about");
    // Power off: the run ends before a text that never comes.
    tour.keys("f").text("(this stands nowhere)");

    let out = tour.run();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(125), "{said}");
    assert!(said.contains("switched the power off"), "{said}");
    let wrong = tour.differences();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for name in ["4-plasma", "5-flip", "5-scroll", "6-vbe"] {
        let picture = |which| pixels(&tour.folder.join(format!("{name}{which}.png")));
        let (a, b, last) = (picture("-a"), picture("-b"), picture(""));
        assert_eq!((a.0, a.1), (last.0, last.1), "{name}");
        assert!(a != b && a != last && b != last, "{name} does not move");
    }
}
