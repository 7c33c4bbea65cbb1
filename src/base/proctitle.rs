//! The process title, what `ps` shows instead of the command line.
//!
//! The kernel shows the memory in which it once put the arguments; `os::TitleMemory` finds it. The text comes
//! from the directive `proc-title-template`, in which `{title}`, `{listen-addr}`, `{server-mode}`, `{port}`,
//! `{tls-port}`, `{unixsocket}` and `{config-file}` are replaced.

use std::io;

use super::os::{Environment, TitleMemory};

/// The title of this process. One per process.
pub struct ProcessTitle {
    memory: TitleMemory,
}

/// What a template can name; a field that does not apply is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct TitleFields<'a> {
    /// `redis-server`, or the name of the child's work.
    pub title: &'a str,
    /// `*:6379`, `127.0.0.1:6379` or the path of the socket.
    pub listen_addr: &'a str,
    /// Empty, `[cluster]` or `[sentinel]`.
    pub server_mode: &'a str,
    pub port: u16,
    pub tls_port: u16,
    pub unixsocket: &'a str,
    pub config_file: &'a str,
}

impl ProcessTitle {
    /// To be called at the start, after the command line was read and before any thread exists: only then can
    /// the space of the environment be used, without which a title is cut to the length of the command line.
    ///
    /// # Errors
    /// When /proc is not readable.
    pub fn take() -> io::Result<ProcessTitle> {
        TitleMemory::find(Environment::Move).map(|memory| ProcessTitle { memory })
    }

    /// Shows `title`. No allocation and no lock: a forked child may call it.
    pub fn set(&mut self, title: &str) {
        self.memory.write(title.as_bytes());
    }
}

/// The title that `template` describes, without blanks at its end. `None` when a brace is not closed or a
/// name is unknown; a directive with such a value is refused.
pub fn expand_template(template: &str, fields: &TitleFields<'_>) -> Option<String> {
    let mut title = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        title.push_str(before);
        title.push_str(&fields.get(name)?);
        rest = behind;
    }
    title.push_str(rest);
    title.truncate(title.trim_end().len());
    Some(title)
}

impl TitleFields<'_> {
    fn get(&self, name: &str) -> Option<String> {
        Some(match name {
            "title" => self.title.to_owned(),
            "listen-addr" => self.listen_addr.to_owned(),
            "server-mode" => self.server_mode.to_owned(),
            "port" => self.port.to_string(),
            "tls-port" => self.tls_port.to_string(),
            "unixsocket" => self.unixsocket.to_owned(),
            "config-file" => self.config_file.to_owned(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: TitleFields<'static> = TitleFields {
        title: "redis-server",
        listen_addr: "*:6379",
        server_mode: "",
        port: 6379,
        tls_port: 0,
        unixsocket: "",
        config_file: "/etc/r.conf",
    };

    #[test]
    fn templates_expand_as_in_redis() {
        let expand = |template| expand_template(template, &FIELDS);
        assert_eq!(expand("{title} {listen-addr} {server-mode}").as_deref(), Some("redis-server *:6379"));
        assert_eq!(expand("{title} x {port} ").as_deref(), Some("redis-server x 6379"));
        assert_eq!(expand("{config-file}:{tls-port}{unixsocket}").as_deref(), Some("/etc/r.conf:0"));
        assert_eq!(expand("{title} }x").as_deref(), Some("redis-server }x"));
        assert_eq!(expand("").as_deref(), Some(""));
        assert_eq!(expand("{bad}"), None);
        assert_eq!(expand("{title"), None);
    }

    #[test]
    fn the_kernel_shows_the_title() {
        // The environment stays: other tests run. The title is then at most as long as this test's command
        // line.
        let memory = TitleMemory::find(Environment::Keep).unwrap();
        ProcessTitle { memory }.set("t");
        let shown = std::fs::read("/proc/self/cmdline").unwrap();
        assert!(shown.starts_with(b"t\0"), "{:?}", String::from_utf8_lossy(&shown));
    }
}
