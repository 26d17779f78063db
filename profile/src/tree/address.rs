//! Node addresses: a hash of the names on the path of a node. An address stays valid across reloads and in
//! other profiles of the same service.

use super::Tree;

/// The address of a node: the 64-bit FNV-1a hash of the UTF-8 bytes of each name from the child of the root
/// down to the node, each name followed by a zero byte. It is written as 16 lowercase hexadecimal digits. The
/// TypeScript code of the web page computes the same addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(pub u64);

/// The address of every root: the hash of the empty path, which is the FNV offset basis.
pub const ROOT: Address = Address(0xcbf2_9ce4_8422_2325);

/// The 64-bit FNV prime.
const PRIME: u64 = 0x0100_0000_01b3;

impl Address {
    /// The address of the child with this name.
    #[must_use]
    pub fn child(self, name: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        Self(step(name.bytes().fold(self.0, step), 0))
    }

    /// Parses an address as written by [`Display`](std::fmt::Display).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Tree {
    /// The address of each node.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        let mut open: Vec<Address> = Vec::new();
        (0..self.len())
            .map(|node| {
                open.truncate(self.depth[node] as usize);
                let address = open.last().map_or(ROOT, |up| up.child(self.node_name(node)));
                open.push(address);
                address
            })
            .collect()
    }

    /// The node with this address.
    #[must_use]
    pub fn at(&self, address: Address) -> Option<usize> {
        let mut open: Vec<Address> = Vec::new();
        (0..self.len()).find(|&node| {
            open.truncate(self.depth[node] as usize);
            let here = open.last().map_or(ROOT, |up| up.child(self.node_name(node)));
            open.push(here);
            here == address
        })
    }
}
