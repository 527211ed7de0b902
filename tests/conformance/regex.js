// Random patterns and texts, and what this JavaScript says of them, one JSON object a line:
//   {"p": pattern, "ok": whether it is one, "t": [texts], "m": [whether each matches]}
// usage: node regex.js SEED COUNT
'use strict';
let state = Number(process.argv[2]) >>> 0 || 1;
const count = Number(process.argv[3]) || 1000;

function random(below) { // xorshift
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    return state % below;
}
const pick = (list) => list[random(list.length)];

const letters = ['a', 'b', 'c', 'A', '1', '9', '_', '-', ' ', 'é', 'ß', '😀', 'Ω', '٣', '\u00a0',
    '\ufeff', '\u2028', '\n', '\r', '\t', '\0', '\u0085', '/', '"', '%', '#'];
const properties = ['L', 'Lu', 'Letter', 'Uppercase_Letter', 'gc=Nd', 'General_Category=digit',
    'Script=Greek', 'sc=Latn', 'scx=Cyrl', 'Script_Extensions=Grek', 'Alphabetic', 'Alpha',
    'ASCII', 'Any', 'Assigned', 'White_Space', 'space', 'Emoji', 'Lowercase', 'Upper', 'LC', 'P',
    'ID_Start', 'IDC', 'Hex', 'Cc', 'Greek', 'greek', 'lu', 'l', 'L&', 'Script', 'sc=', 'gc=',
    'IsGreek', 'Latin', 'Xan', 'Foo', '^L', ' L', 'RGI_Emoji', 'sc=greek', 'Nd=', 'ASCII=Y'];
const escapes = ['d', 'D', 'w', 'W', 's', 'S', 'b', 'B', 't', 'n', 'v', 'f', 'r', '0', 'cA', 'cz',
    'c1', 'c', 'x41', 'x4', 'u0061', 'u{61}', 'u{1F600}', 'u{110000}', 'u{}', 'uD83D\\uDE00',
    'uD83D', 'uDE00', 'u12', '1', '2', '3', '10', '00', '01', 'a', 'e', 'z', '_', '-', '/', '.',
    '*', '$', '^', '\\', '|', '[', ']', '{', '}', '(', ')', 'k<n>', 'k<m>', 'k', 'p{L}', 'Q', 'E',
    'A', 'Z', 'G', 'h', 'R', 'X', 'N', 'K', 'g1', 'g{1}', '"', 'é', '8', ' ', '#'];
const pieces = ['', '(', ')', '[', ']', '{', '}', '|', '^', '$', '.', '*', '+', '?', '{2}', '{1,2}',
    '{,2}', '{2,1}', '{0}', '{1,', '(?:', '(?=', '(?!', '(?<=', '(?<!', '(?<n>', '(?<m>', '(?i:',
    '(?>', '(?#', '(?|', '(*F)', '[^', '[]', '[^]', '[:alpha:]', '[a-c]', '[c-a]', '-', '\\',
    '(?<', '(?P<n>', '*+', '??', '(?1)'];

function escape() {
    if (random(5) === 0)
        return '\\' + pick(['p', 'P']) + '{' + pick(properties) + '}';
    return '\\' + pick(escapes);
}
function member() {
    const kind = random(8);
    if (kind < 3) return pick(letters);
    if (kind < 5) return escape();
    if (kind === 5) return pick(['a-c', '0-9', '\\0-\\x20', '\\u{1F600}-\\u{1F64F}', '\\ud800-\\udfff',
        '\\u0000-\\uffff', '--a', '+--', '&&', '[', '^', '\\d-a', 'a-\\d', '-', 'a-', '\\-']);
    return pick(['a', 'b', 'c', '1']);
}
function set() {
    let text = pick(['[', '[', '[^']);
    for (let i = random(4); i > 0; i--) text += member();
    return text + ']';
}
function atom(depth) {
    const kind = random(16);
    if (kind < 5) return pick(['a', 'b', 'c', 'ab']);
    if (kind === 5) return pick(letters);
    if (kind === 6) return '.';
    if (kind < 9) return set();
    if (kind < 11) return escape();
    if (kind === 11) return pick(['^', '$', '\\b', '\\B', '\\1', '\\2', '\\k<n>']);
    if (depth === 0) return 'a';
    return pick(['(', '(', '(', '(?:', '(?:', '(?<n>', '(?=', '(?!', '(?<=', '(?<!']) +
        alternatives(depth - 1) + ')';
}
function sequence(depth) {
    let text = '';
    for (let i = random(4); i > 0; i--)
        text += atom(depth) + (random(3) === 0
            ? pick(['*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}?', '{0}', '{1,}', '{2,1}'])
            : '');
    return text;
}
function alternatives(depth) {
    let text = sequence(depth);
    while (random(4) === 0) text += '|' + sequence(depth);
    return text;
}
function pattern() {
    let text = alternatives(3);
    if (random(4) === 0) text = '^' + text + '$';
    if (random(8) === 0) { // and damaged
        const at = random(text.length + 1);
        text = text.slice(0, at) + pick(pieces) + text.slice(at + random(2));
    }
    return text;
}
function subject() {
    let text = '';
    for (let i = random(8); i > 0; i--) text += random(3) ? pick(['a', 'b', 'c']) : pick(letters);
    return text;
}
// V8 looks between the halves of a pair as well, where ECMAScript has no place.
const isSafe = (p, text) => !/\\[Bk1-9]|\(\?/.test(p) || !/[^\0-\uffff]/u.test(text);
const isWhole = (text) => text.isWellFormed ? text.isWellFormed() : !/\p{Cs}/u.test(text);

for (let i = 0; i < count; i++) {
    const p = pattern();
    if (!isWhole(p)) continue;
    let regex = null;
    try { regex = new RegExp(p, 'u'); } catch { /* it is none */ }
    const t = [];
    for (let j = 0; regex && j < 12; j++) t.push(subject());
    t.splice(0, t.length, ...t.filter((text) => isSafe(p, text)));
    console.log(JSON.stringify({ p, ok: regex !== null, t, m: t.map((text) => regex.test(text)) }));
}
