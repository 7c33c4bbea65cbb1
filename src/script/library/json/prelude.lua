-- How the scripts of recorded.txt show what they find.
local function show(v)
  local t = type(v)
  if t == 'string' then
    return '"' .. v:gsub('[%z\1-\31"\\\127-\255]', function(c) return string.format('\\%d.', c:byte()) end) .. '"'
  end
  if t == 'number' then return string.format('%.17g', v) end
  if v == cjson.null then return 'null' end
  if t ~= 'table' then return tostring(v) end
  local r = {}
  for k, x in pairs(v) do r[#r + 1] = '[' .. show(k) .. ']=' .. show(x) end
  table.sort(r)
  return '{' .. table.concat(r, ',') .. '}'
end
local function try(f, ...)
  local ok, r = pcall(f, ...)
  return (ok and '' or 'ERR ') .. (type(r) == 'string' and not ok and r or show(r))
end
local function E(...) return try(cjson.encode, ...) end
local function D(...) return try(cjson.decode, ...) end
