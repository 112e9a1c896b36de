//! What is measured: the rows of the table, and the data they work on.

/// One turn of something that is measured.
pub type Operation = Box<dyn FnMut()>;

/// What a row has its clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Gets a value of so many bytes.
    Get(usize),
    /// Gets what is not there.
    Miss,
    Set(usize),
    /// Deletes what is not there.
    Delete,
    Increment,
    /// Gets so many keys with values of 100 bytes.
    GetMany(usize, Form),
    /// Sets so many keys to values of 100 bytes; each is answered.
    SetMany(usize),
    /// The same, and only failures are answered.
    SetManyQuiet(usize),
    /// Nine gets and a set in ten turns, some keys far more often than others.
    Mix,
    /// Gets of 100 bytes from eight threads at once.
    Threads,
}

/// In what form the values of many keys are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Whichever costs the client least.
    Least,
    /// Borrowed, one after the other.
    Borrowed,
    /// A list of owned values, in key order.
    List,
    /// A map of owned values.
    Map,
}

/// Where a row takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first so many of the servers.
    Tcp(usize),
    /// The server on the unix socket. Such a row is compared with our client over TCP.
    Unix,
}

/// What a client is given to do.
pub struct Task<'a> {
    pub work: Work,
    /// `address:port` of each, or the path of a unix socket.
    pub servers: &'a [String],
}

impl Task<'_> {
    pub fn on_unix(&self) -> bool {
        self.servers[0].starts_with('/')
    }
}

/// One row of the table.
pub struct Row {
    pub name: &'static str,
    pub work: Work,
    pub place: Place,
    /// What we hold ourselves to, and for which of our protocols.
    pub limit: (f64, &'static [&'static str]),
    /// It is in the plot.
    pub plotted: bool,
}

const OURS: &[&str] = &["text", "meta", "binary"];
const ONE: Place = Place::Tcp(1);
const FOUR: Place = Place::Tcp(4);

const fn row(name: &'static str, work: Work, place: Place, limit: f64) -> Row {
    Row {
        name,
        work,
        place,
        limit: (limit, OURS),
        plotted: false,
    }
}

impl Row {
    const fn plotted(mut self) -> Self {
        self.plotted = true;
        self
    }

    const fn limited_to(mut self, clients: &'static [&'static str]) -> Self {
        self.limit.1 = clients;
        self
    }
}

/// All of them, in the order of the table.
pub const ROWS: &[Row] = &[
    row("get, 100 B", Work::Get(100), ONE, 1.05).plotted(),
    row("get, 1 KB", Work::Get(1 << 10), ONE, 1.05),
    row("get, a miss", Work::Miss, ONE, 1.05),
    row("set, 100 B", Work::Set(100), ONE, 1.05).plotted(),
    row("set, 1 KB", Work::Set(1 << 10), ONE, 1.05),
    row("delete, a miss", Work::Delete, ONE, 1.05),
    row("incr", Work::Increment, ONE, 1.05),
    row("get, 10 KB", Work::Get(10 << 10), ONE, 1.05),
    row("get, 100 KB", Work::Get(100 << 10), ONE, 1.08).plotted(),
    row("get, 1 MB", Work::Get(1 << 20), ONE, 1.10),
    row("set, 10 KB", Work::Set(10 << 10), ONE, 1.05),
    row("set, 100 KB", Work::Set(100 << 10), ONE, 1.08).plotted(),
    row("set, 1 MB", Work::Set(1 << 20), ONE, 1.05),
    row(
        "get_many 100, 1 server",
        Work::GetMany(100, Form::Least),
        ONE,
        1.10,
    )
    .plotted(),
    row(
        "get_many 100, 4 servers",
        Work::GetMany(100, Form::Least),
        FOUR,
        1.10,
    )
    .plotted(),
    row(
        "get_many 1000, 4 servers, borrowed",
        Work::GetMany(1000, Form::Borrowed),
        FOUR,
        1.10,
    ),
    row(
        "get_many 1000, 4 servers, in key order",
        Work::GetMany(1000, Form::List),
        FOUR,
        1.30,
    ),
    row(
        "get_many 1000, 4 servers, into a map",
        Work::GetMany(1000, Form::Map),
        FOUR,
        1.50,
    )
    .plotted(),
    row("set_many 1000, 1 server", Work::SetMany(1000), ONE, 1.15),
    row("set_many 1000, 4 servers", Work::SetMany(1000), FOUR, 1.15).plotted(),
    row(
        "set_many 1000 quiet, 1 server",
        Work::SetManyQuiet(1000),
        ONE,
        0.60,
    )
    .limited_to(&["meta"]),
    row(
        "set_many 1000 quiet, 4 servers",
        Work::SetManyQuiet(1000),
        FOUR,
        0.75,
    )
    .limited_to(&["meta"]),
    row("zipf mix 90/10, 4 servers", Work::Mix, FOUR, 1.05).plotted(),
    row("8 threads, 4 servers", Work::Threads, FOUR, 1.15).plotted(),
    row(
        "get, 100 B: unix socket / TCP",
        Work::Get(100),
        Place::Unix,
        0.75,
    ),
];

/// How long the values of rows with many keys are.
pub const VALUE: usize = 100;

/// What the counter of an `incr` begins with: it will not get longer.
pub const COUNT: u64 = 1_000_000_000_000;

/// How many keys [`Work::Mix`] and [`Work::Threads`] are about.
pub const MIX_KEYS: usize = 10_000;
pub const THREADS_KEYS: usize = 1000;

pub fn value(size: usize) -> Vec<u8> {
    vec![b'v'; size]
}

/// So many keys of 20 bytes. They live as long as the bench. They are no numbers in a row: the ring
/// would put most of those on the same servers.
pub fn keys(tag: &str, count: usize) -> &'static [&'static str] {
    let mut random = Random(1);
    let key = |_| {
        let number = random.bits() >> 32;
        &*format!("{tag:_<4}:bench:_{number:08x}").leak()
    };
    (0..count).map(key).collect::<Vec<_>>().leak()
}

/// One turn of [`Work::Mix`]: which key, and whether it is set.
#[derive(Clone, Copy)]
pub struct Turn {
    pub key: usize,
    pub set: bool,
}

/// The same turns for everybody: keys by Zipf's law with the exponent 0.99.
pub fn mix() -> Vec<Turn> {
    let mut sum = 0.0;
    let shares: Vec<f64> = (1..=MIX_KEYS)
        .map(|rank| {
            #[expect(clippy::cast_precision_loss, reason = "it is at most 10,000")]
            let rank = rank as f64;
            sum += rank.powf(-0.99);
            sum
        })
        .collect();
    let mut random = Random(7);
    let turn = |number: usize| Turn {
        key: shares.partition_point(|&share| share < random.unit() * sum) % MIX_KEYS,
        set: number % 10 == 9,
    };
    (0..MIX_KEYS).map(turn).collect()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are left")]
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
