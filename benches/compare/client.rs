//! A plain blocking connection for questions: PING, INFO, BGSAVE. Never used for load.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No answer comes later than this from a healthy server, not even after a big save in the foreground.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(port: u16) -> io::Result<Client> {
        let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Client { stream: BufReader::new(stream) })
    }

    /// Sends one command as an array of bulk strings; returns the text of a simple, integer or bulk reply.
    ///
    /// # Errors
    /// An error reply becomes an error with the server's text.
    pub fn ask(&mut self, arguments: &[&str]) -> io::Result<String> {
        let mut request = format!("*{}\r\n", arguments.len());
        for argument in arguments {
            request.push_str(&format!("${}\r\n{argument}\r\n", argument.len()));
        }
        self.stream.get_mut().write_all(request.as_bytes())?;
        let head = self.line()?;
        match head.split_at_checked(1) {
            Some(("+" | ":", text)) => Ok(text.to_string()),
            Some(("$", length)) => self.bulk(length),
            Some(("-", text)) => Err(io::Error::other(text.to_string())),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, format!("unexpected reply '{head}'"))),
        }
    }

    /// The number that INFO gives for `name` in `section`.
    pub fn info(&mut self, section: &str, name: &str) -> io::Result<u64> {
        let text = self.info_text(section, name)?;
        text.parse().map_err(|_| io::Error::other(format!("INFO {section}: {name} is '{text}', no number")))
    }

    /// The text that INFO gives for `name` in `section`.
    pub fn info_text(&mut self, section: &str, name: &str) -> io::Result<String> {
        let text = self.ask(&["INFO", section])?;
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        let value = fields.into_iter().find(|(field, _)| *field == name).map(|(_, value)| value.to_string());
        value.ok_or_else(|| io::Error::other(format!("INFO {section} has no field {name}")))
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_string())
    }

    fn bulk(&mut self, length: &str) -> io::Result<String> {
        let length: usize = length.parse().map_err(|_| io::Error::other("a bulk reply without content"))?;
        let mut body = vec![0; length + 2];
        self.stream.read_exact(&mut body)?;
        body.truncate(length);
        String::from_utf8(body).map_err(|_| io::Error::other("a reply that is no text"))
    }
}
