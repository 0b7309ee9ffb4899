-- Copies headers and the first bytes of bodies into the stream's filter state, from where the access log writes them.
-- The first HTTP filter. It holds nothing back: bodyChunks() sees data as it passes, so server-sent events,
-- large bodies and upgrades go through at once. REQUEST_CAP and RESPONSE_CAP (bytes) and SHARDS, the number of logs
-- that transactions are dealt out to, stand in front of this text.
--
-- A frame is base64("<bytes of headers> <bytes of body seen>\n" .. headers .. body): headers as name, line feed,
-- value, line feed … (HTTP allows no line feed in either); the body cut at the cap. Base64, because a text that is
-- not UTF-8 would arrive empty, and one with a zero byte cut. Filter state, because dynamic metadata costs twice.

jit.off() -- nearly all is calls of Envoy's functions, which cannot be compiled: trying costs a tenth of the script

local BODILESS = { GET = true, HEAD = true, OPTIONS = true, DELETE = true, TRACE = true }

local function capture(handle, key, cap)
  local names, count, waits = {}, 0, true -- waits: the body may stay out for long
  for name, value in pairs(handle:headers()) do
    names[count + 1] = name
    names[count + 2] = value
    count = count + 2
    if name == "content-length" or (name == ":method" and BODILESS[value]) then
      waits = false
    elseif name == "upgrade" or name == ":protocol" then
      waits = true
    end
  end
  local headers = table.concat(names, "\n")
  local length = #headers

  local parts, held, stored, seen = {}, 0, -1, 0
  local function store() -- Envoy's objects must be asked for again after every wait for a chunk
    if #parts > 1 then
      parts = { table.concat(parts) }
    end
    local frame = length .. " " .. seen .. "\n" .. headers .. (parts[1] or "")
    handle:streamInfo():filterState():set(key, "envoy.string", handle:base64Escape(frame))
    stored = held
  end

  -- The frame is stored with the first chunk, and again whenever the body held has doubled: a stream that is cut off
  -- leaves at least half of what passed, and the copying stays linear in the body. Before the first chunk only where
  -- that may take long: a stream that is cut off while a body of stated length is still out has no headers.
  if waits then
    store()
  end
  for chunk in handle:bodyChunks() do
    local size = chunk:length()
    seen = seen + size
    if size > 0 and held < cap then
      local take = math.min(size, cap - held)
      parts[#parts + 1] = chunk:getBytes(0, take)
      held = held + take
      if held >= 2 * stored then
        store()
      end
    end
  end
  if held > stored then
    store()
  end
end

local shard = 0 -- of this thread of Envoy's

function envoy_on_request(handle)
  if SHARDS > 1 then -- the logs' filters read metadata
    handle:streamInfo():dynamicMetadata():set("apisec", "shard", tostring(shard))
    shard = (shard + 1) % SHARDS
  end
  capture(handle, "apisec.q", REQUEST_CAP)
end

function envoy_on_response(handle)
  capture(handle, "apisec.s", RESPONSE_CAP)
end
