//! twemproxy in front of memcached.

use super::passwords::Folder;
use super::{reserve, skipped, wait_until};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

/// A running twemproxy. It is ended when this is dropped.
#[derive(Debug)]
pub struct Twemproxy {
    pub address: SocketAddr,
    process: Child,
    _folder: Folder,
}

impl Twemproxy {
    /// `None` where it is not installed, which is printed.
    pub fn start(behind: SocketAddr) -> Option<Self> {
        let folder = Folder::new();
        let [front, statistics] = [(); 2].map(|()| {
            let reserved = reserve().unwrap();
            reserved.local_addr().unwrap().as_socket().unwrap()
        });
        let config = format!(
            "pool:\n  listen: {front}\n  hash: fnv1a_64\n  distribution: ketama\n  timeout: 5000\n  \
             servers:\n   - {behind}:1\n"
        );
        let config = folder.file("nutcracker.yml", &config);
        let process = Command::new("nutcracker")
            .args(["-c", &config, "-s", &statistics.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut process = match process {
            Ok(process) => process,
            Err(error) => {
                skipped(format_args!("twemproxy: nutcracker: {error}"));
                return None;
            }
        };
        wait_until("twemproxy accepts", || {
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none(), "nutcracker ended: {ended:?}");
            TcpStream::connect(front).is_ok()
        });
        Some(Self {
            address: front,
            process,
            _folder: folder,
        })
    }
}

impl Drop for Twemproxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
