//! Writes small MaxMind databases, whole or broken, for tests
//! (MaxMind DB file format specification, version 2.0).

use std::net::IpAddr;

use ipnet::IpNet;

/// A value of the data section.
pub(crate) enum Value {
    Text(&'static str),
    Number(u32),
    Map(Vec<(&'static str, Value)>),
}

/// A database of IPv6, with IPv4 at `::/96`.
pub(crate) struct Writer {
    /// Children of each node.
    nodes: Vec<[Child; 2]>,
    data: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Child {
    Nothing,
    Node(usize),
    Data(usize),
}

/// `{"country": {"iso_code": …}}`
pub(crate) fn nested(code: &'static str) -> Value {
    Value::Map(vec![(
        "country",
        Value::Map(vec![("iso_code", Value::Text(code))]),
    )])
}

/// `{"country_code": …}`
pub(crate) fn flat(code: &'static str) -> Value {
    Value::Map(vec![("country_code", Value::Text(code))])
}

/// `{"autonomous_system_number": …}`
pub(crate) fn asn(number: u32) -> Value {
    Value::Map(vec![("autonomous_system_number", Value::Number(number))])
}

/// A whole database: shorter prefixes first where they nest.
pub(crate) fn database(networks: Vec<(&str, Value)>) -> Vec<u8> {
    let mut writer = Writer {
        nodes: vec![[Child::Nothing; 2]],
        data: Vec::new(),
    };
    for (network, value) in networks {
        let offset = writer.data.len();
        encode(&mut writer.data, &value);
        writer.insert(network.parse().unwrap(), offset);
    }
    writer.finish()
}

impl Writer {
    fn insert(&mut self, network: IpNet, offset: usize) {
        let (address, length) = match network.network() {
            IpAddr::V4(v4) => (u128::from(u32::from(v4)), network.prefix_len() + 96),
            IpAddr::V6(v6) => (u128::from(v6), network.prefix_len()),
        };
        let mut node = 0;
        for depth in 0..length {
            let side = usize::from(address >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                self.nodes[node][side] = Child::Data(offset);
                return;
            }
            node = match self.nodes[node][side] {
                Child::Node(next) => next,
                before => {
                    self.nodes.push([before; 2]);
                    self.nodes[node][side] = Child::Node(self.nodes.len() - 1);
                    self.nodes.len() - 1
                }
            };
        }
    }

    fn finish(self) -> Vec<u8> {
        let count = self.nodes.len();
        let mut bytes = Vec::new();
        for child in self.nodes.iter().flatten() {
            let record = match child {
                Child::Nothing => count,
                Child::Node(node) => *node,
                Child::Data(offset) => count + 16 + offset,
            };
            bytes.extend(u32::try_from(record).unwrap().to_be_bytes());
        }
        bytes.extend([0; 16]);
        bytes.extend(&self.data);
        bytes.extend(b"\xab\xcd\xefMaxMind.com");
        metadata(&mut bytes, count);
        bytes
    }
}

fn metadata(bytes: &mut Vec<u8>, node_count: usize) {
    bytes.push(7 << 5 | 9); // a map of nine
    let numbers = [
        ("node_count", u32::try_from(node_count).unwrap(), 6),
        ("record_size", 32, 5),
        ("ip_version", 6, 5),
        ("binary_format_major_version", 2, 5),
        ("binary_format_minor_version", 0, 5),
    ];
    for (key, number, kind) in numbers {
        text(bytes, key);
        if kind == 5 {
            bytes.push(5 << 5 | 2);
            bytes.extend(u16::try_from(number).unwrap().to_be_bytes());
        } else {
            bytes.push(kind << 5 | 4);
            bytes.extend(number.to_be_bytes());
        }
    }
    text(bytes, "database_type");
    text(bytes, "Test");
    text(bytes, "languages");
    bytes.extend([0, 4]); // an array of none
    text(bytes, "build_epoch");
    bytes.extend([8, 2]); // uint64, eight bytes
    bytes.extend(1_700_000_000_u64.to_be_bytes());
    text(bytes, "description");
    encode(bytes, &Value::Map(vec![("en", Value::Text("for tests"))]));
}

fn encode(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(content) => text(bytes, content),
        Value::Number(number) => {
            bytes.push(6 << 5 | 4);
            bytes.extend(number.to_be_bytes());
        }
        Value::Map(entries) => {
            bytes.push(7 << 5 | u8::try_from(entries.len()).unwrap());
            for (key, value) in entries {
                text(bytes, key);
                encode(bytes, value);
            }
        }
    }
}

fn text(bytes: &mut Vec<u8>, content: &str) {
    assert!(content.len() < 29, "longer text has another encoding");
    bytes.push(2 << 5 | u8::try_from(content.len()).unwrap());
    bytes.extend(content.as_bytes());
}
