//! Lua values as replies, and replies as Lua values, in both protocols of the client and of the script.

use super::pair::{Both, Pair, lines};

const VALUES: &str = include_str!("cases/values.txt");
const REPLIES: &str = include_str!("cases/replies.txt");
const COMMANDS: &str = include_str!("cases/commands.txt");
const SETTINGS: [&str; 3] = ["", "redis.setresp(2) ", "redis.setresp(3) "];

/// One connection in each protocol.
fn protocols(pair: &Pair) -> [Both; 2] {
    let [second, mut third] = [pair.connect(), pair.connect()];
    third.ask(&["HELLO", "3"]);
    [second, third]
}

#[test]
fn values_become_replies() {
    let pair = Pair::start();
    for mut both in protocols(&pair) {
        for setting in SETTINGS {
            for value in lines(VALUES) {
                both.same_script(&format!("{setting}return {value}"));
                both.same_script(&format!("{setting}local x = {value} return {{'b', x, 'a'}}"));
            }
            for script in ["return 1, 2", "return", ""] {
                both.same_script(&format!("{setting}{script}"));
            }
        }
    }
}

#[test]
fn deep_tables_have_an_end() {
    // The test's own parser goes down with the reply.
    let deep = std::thread::Builder::new().stack_size(64 << 20).spawn(compare_deep_tables);
    deep.expect("a thread").join().expect("the same replies");
}

fn compare_deep_tables() {
    let pair = Pair::start();
    for mut both in protocols(&pair) {
        both.same_script("local t = {} t[1] = t return t");
        for nest in ["{t}", "{map={a=t}}", "{set={[t]=true}}", "{map={[t]=1}}", "{1, t, {t}}"] {
            for depth in [1, 10, 14] {
                both.same_script(&format!("local t = {{}} for i = 1, {depth} do t = {nest} end return t"));
            }
        }
        for (nest, depths) in [
            ("{t}", [7994, 7995, 20_000]),
            ("{map={a=t}}", [2663, 2664, 2665]),
            ("{set={[t]=true}}", [2664, 2665, 2666]),
            ("{map={[t]=1}}", [1998, 1999, 2000]),
        ] {
            for depth in depths {
                both.same_script(&format!("local t = {{}} for i = 1, {depth} do t = {nest} end return t"));
            }
        }
    }
}

#[test]
fn replies_become_values() {
    let pair = Pair::start();
    for mut both in protocols(&pair) {
        for setting in ["", "redis.setresp(3) "] {
            for call in lines(REPLIES) {
                both.same_call(setting, call);
            }
            both.same_line("FLUSHALL");
            both.same_line("SELECT 0");
        }
        both.same_scripts(COMMANDS);
        both.same_line("FLUSHALL");
    }
}
