//! AML, the byte code of the DSDT: Advanced Configuration and Power Interface Specification 2.0, chapter 17 ("ACPI
//! machine language specification"). The pieces here are those that our tables need; what they can be put together to
//! is always well formed.

use super::resource::{Descriptor, template};

/// What a name can stand for, and the elements of packages.
#[derive(Clone, Debug)]
pub enum Value {
    Integer(u64),
    /// A compressed ID of seven characters, as `PNP0A03`.
    Eisa(&'static str),
    Text(&'static str),
    /// The object of that name.
    Reference(String),
    Package(Vec<Value>),
    Resources(Vec<Descriptor>),
}

/// An address space of an operation region.
#[derive(Copy, Clone, Debug)]
pub enum Space {
    SystemIo,
    PciConfig,
}

/// The width of a field's accesses. No field takes the global lock, and all preserve the bits around what is written.
#[derive(Copy, Clone, Debug)]
pub enum Access {
    Byte,
    Word,
}

/// An object of the namespace.
#[derive(Clone, Debug)]
pub enum Object {
    Name(String, Value),
    Scope(String, Vec<Object>),
    Device(String, Vec<Object>),
    /// A processor without a register block: name and ID.
    Processor(String, u8),
    Method {
        name: String,
        arguments: u8,
        /// It makes objects of its own: one call at a time.
        serialized: bool,
        body: Vec<Statement>,
    },
    Region {
        name: String,
        space: Space,
        offset: u64,
        bytes: u64,
    },
    /// The fields of a region, from its first bit on: name and width in bits.
    Fields {
        region: String,
        access: Access,
        fields: Vec<(String, u8)>,
    },
}

/// A value that a method computes.
#[derive(Clone, Debug)]
pub enum Expression {
    Integer(u64),
    Argument(u8),
    Name(String),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
}

/// A step of a method.
#[derive(Clone, Debug)]
pub enum Statement {
    /// To the object of that name.
    Store(Expression, String),
    If(Expression, Vec<Statement>),
    IfElse(Expression, Vec<Statement>, Vec<Statement>),
    Return(Expression),
    /// A field of 32 bits in a buffer: the buffer, the byte that it begins at, its name.
    DwordField(Expression, u8, String),
}

impl Expression {
    pub fn name(name: impl Into<String>) -> Self {
        Self::Name(name.into())
    }
    pub fn and(self, other: u64) -> Self {
        Self::And(Box::new(self), Box::new(Self::Integer(other)))
    }
    pub fn or(self, other: u64) -> Self {
        Self::Or(Box::new(self), Box::new(Self::Integer(other)))
    }
}

/// A list of objects as AML.
pub fn encode(objects: &[Object]) -> Vec<u8> {
    objects.iter().flat_map(Object::encode).collect()
}

/// Integers take the shortest form (section 17.2.3).
fn integer(value: u64) -> Vec<u8> {
    let bytes = value.to_le_bytes();
    let (prefix, len) = match value {
        0 => return vec![0x00],
        1 => return vec![0x01],
        2..=0xFF => (0x0A, 1),
        0x100..=0xFFFF => (0x0B, 2),
        0x1_0000..=0xFFFF_FFFF => (0x0C, 4),
        _ => (0x0E, 8),
    };
    [&[prefix][..], &bytes[..len]].concat()
}

/// A package length and what it counts: itself too (section 17.2.4).
fn counted(content: &[u8]) -> Vec<u8> {
    let n = content.len();
    let mut bytes = match n {
        0..0x3F => vec![n as u8 + 1],
        0x3F..0xFFE => vec![0x40 | ((n + 2) & 0xF) as u8, ((n + 2) >> 4) as u8],
        _ => {
            let n = n + 3;
            vec![0x80 | (n & 0xF) as u8, (n >> 4) as u8, (n >> 12) as u8]
        }
    };
    bytes.extend(content);
    bytes
}

/// A path: segments of up to four characters between dots, filled up with `_`; a backslash in front is the root.
fn path(text: &str) -> Vec<u8> {
    let (root, rest) = match text.strip_prefix('\\') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let segments: Vec<&str> = rest.split('.').filter(|s| !s.is_empty()).collect();
    let mut bytes = if root { vec![b'\\'] } else { Vec::new() };
    match segments.len() {
        0 => bytes.push(0x00),
        1 => {}
        2 => bytes.push(0x2E),
        n => bytes.extend([0x2F, n as u8]),
    }
    for segment in segments {
        let name = segment.bytes().chain(std::iter::repeat(b'_'));
        bytes.extend(name.take(4));
    }
    bytes
}

/// A compressed EISA ID: three letters of five bits and four hexadecimal digits, the highest byte first (section
/// 16.2.2).
fn eisa(id: &str) -> u32 {
    let letters = id.bytes().take(3);
    let packed = letters.fold(0u32, |v, c| v << 5 | u32::from(c & 0x1F));
    let digits = id.chars().skip(3).take(4);
    let number = digits.fold(0, |v, c| v << 4 | c.to_digit(16).unwrap_or(0));
    (packed << 16 | number).swap_bytes()
}

fn buffer(content: &[u8]) -> Vec<u8> {
    let counted = counted(&[integer(content.len() as u64), content.to_vec()].concat());
    [&[0x11], &counted[..]].concat()
}

impl Value {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Integer(value) => integer(*value),
            Self::Eisa(id) => integer(eisa(id).into()),
            Self::Text(text) => [&[0x0D], text.as_bytes(), &[0]].concat(),
            Self::Reference(name) => path(name),
            Self::Resources(descriptors) => buffer(&template(descriptors)),
            Self::Package(elements) => {
                let content: Vec<u8> = elements.iter().flat_map(Self::encode).collect();
                // Above 255 elements the count is a term of its own.
                let (op, count) = match u8::try_from(elements.len()) {
                    Ok(n) => (0x12, vec![n]),
                    Err(_) => (0x13, integer(elements.len() as u64)),
                };
                [vec![op], counted(&[count, content].concat())].concat()
            }
        }
    }
}

impl Object {
    fn encode(&self) -> Vec<u8> {
        let block = |op: &[u8], head: Vec<u8>, rest: Vec<u8>| -> Vec<u8> {
            [op, &counted(&[head, rest].concat())].concat()
        };
        match self {
            Self::Name(name, value) => [vec![0x08], path(name), value.encode()].concat(),
            Self::Scope(name, inside) => block(&[0x10], path(name), encode(inside)),
            Self::Device(name, inside) => block(&[0x5B, 0x82], path(name), encode(inside)),
            // ID, register block's port (32 bits) and length: none.
            Self::Processor(name, id) => block(&[0x5B, 0x83], path(name), vec![*id, 0, 0, 0, 0, 0]),
            Self::Method {
                name,
                arguments,
                serialized,
                body,
            } => {
                let flags = arguments & 7 | u8::from(*serialized) << 3;
                let body = body.iter().flat_map(Statement::encode);
                let rest = std::iter::once(flags).chain(body).collect();
                block(&[0x14], path(name), rest)
            }
            Self::Region {
                name,
                space,
                offset,
                bytes,
            } => {
                let space = match space {
                    Space::SystemIo => 1,
                    Space::PciConfig => 2,
                };
                let range = [integer(*offset), integer(*bytes)].concat();
                [vec![0x5B, 0x80], path(name), vec![space], range].concat()
            }
            Self::Fields {
                region,
                access,
                fields,
            } => {
                let flags = match access {
                    Access::Byte => 1,
                    Access::Word => 2,
                };
                let mut rest = vec![flags];
                for (name, bits) in fields {
                    rest.extend(path(name));
                    // The width is written as a package length of one or two bytes.
                    match bits {
                        0..0x40 => rest.push(*bits),
                        _ => rest.extend([0x40 | bits & 0xF, bits >> 4]),
                    }
                }
                block(&[0x5B, 0x81], path(region), rest)
            }
        }
    }
}

impl Expression {
    fn encode(&self) -> Vec<u8> {
        // The operand's result goes nowhere else: a null target.
        let of_two =
            |op: u8, a: &Self, b: &Self| [&[op], &a.encode()[..], &b.encode(), &[0]].concat();
        match self {
            Self::Integer(value) => integer(*value),
            Self::Argument(n) => vec![0x68 + n.min(&6)],
            Self::Name(name) => path(name),
            Self::And(a, b) => of_two(0x7B, a, b),
            Self::Or(a, b) => of_two(0x7D, a, b),
        }
    }
}

impl Statement {
    fn encode(&self) -> Vec<u8> {
        let all = |list: &[Self]| -> Vec<u8> { list.iter().flat_map(Self::encode).collect() };
        let branch = |condition: &Expression, then: &[Self]| {
            [
                vec![0xA0],
                counted(&[condition.encode(), all(then)].concat()),
            ]
            .concat()
        };
        match self {
            Self::Store(value, to) => [vec![0x70], value.encode(), path(to)].concat(),
            Self::If(condition, then) => branch(condition, then),
            Self::IfElse(condition, then, or) => {
                [branch(condition, then), vec![0xA1], counted(&all(or))].concat()
            }
            Self::Return(value) => [vec![0xA4], value.encode()].concat(),
            Self::DwordField(buffer, at, name) => {
                let at = integer((*at).into());
                [vec![0x8A], buffer.encode(), at, path(name)].concat()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_the_shortest_form() {
        assert_eq!(integer(0), [0x00]);
        assert_eq!(integer(1), [0x01]);
        assert_eq!(integer(0x80), [0x0A, 0x80]);
        assert_eq!(integer(0x100), [0x0B, 0x00, 0x01]);
        assert_eq!(integer(0x0001_FFFF), [0x0C, 0xFF, 0xFF, 0x01, 0x00]);
        assert_eq!(integer(1 << 32), [0x0E, 0, 0, 0, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn a_package_length_counts_itself() {
        assert_eq!(counted(&[]), [1]);
        assert_eq!(counted(&[7; 62])[..2], [63, 7]);
        // 63 bytes take two of length: 65 = 41h.
        assert_eq!(counted(&[7; 63])[..3], [0x41, 0x04, 7]);
        assert_eq!(counted(&[7; 4093])[..3], [0x4F, 0xFF, 7]);
        // 4094 bytes take three: 4097 = 1001h.
        assert_eq!(counted(&[7; 4094])[..4], [0x81, 0x00, 0x01, 7]);
    }

    #[test]
    fn paths_have_segments_of_four_characters() {
        assert_eq!(path("\\_SB"), *b"\\_SB_");
        assert_eq!(path("\\"), [b'\\', 0]);
        assert_eq!(path("PCI0"), *b"PCI0");
        assert_eq!(path("\\_SB.LNKA"), *b"\\\x2E_SB_LNKA");
        assert_eq!(path("\\_SB.PCI0.ISA"), *b"\\\x2F\x03_SB_PCI0ISA_");
    }

    #[test]
    fn an_eisa_id_is_compressed() {
        // "PNP" is 10000 01110 10000; ASL's EisaId ("PNP0A03") is 030AD041h.
        assert_eq!(eisa("PNP0A03"), 0x030A_D041);
        assert_eq!(eisa("PNP0C0F"), 0x0F0C_D041);
    }

    #[test]
    fn a_method_that_returns_a_masked_field() {
        let method = Object::Method {
            name: "_STA".into(),
            arguments: 0,
            serialized: false,
            body: vec![
                Statement::If(
                    Expression::name("PRQA").and(0x80),
                    vec![Statement::Return(Expression::Integer(9))],
                ),
                Statement::Return(Expression::Integer(11)),
            ],
        };
        let want = [
            &[0x14, 0x16][..],
            b"_STA",
            &[0x00, 0xA0, 0x0C, 0x7B],
            b"PRQA",
            &[0x0A, 0x80, 0x00, 0xA4, 0x0A, 0x09, 0xA4, 0x0A, 0x0B],
        ]
        .concat();
        assert_eq!(method.encode(), want);
    }

    #[test]
    fn the_soft_off_package_is_that_of_the_specifications_examples() {
        let s5 = Object::Name("\\_S5".into(), Value::Package(vec![Value::Integer(0); 4]));
        let want = [&b"\x08\\_S5_"[..], &[0x12, 0x06, 0x04, 0, 0, 0, 0]].concat();
        assert_eq!(s5.encode(), want);
    }
}
