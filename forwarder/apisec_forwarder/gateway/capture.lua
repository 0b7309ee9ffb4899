-- Copies headers and the first bytes of bodies into dynamic metadata, from where the access log writes them.
-- The first HTTP filter. It holds nothing back: bodyChunks() sees data as it passes, so server-sent events,
-- large bodies and upgrades go through at once. REQUEST_CAP and RESPONSE_CAP (bytes) and SHARDS, the number of logs
-- that transactions are dealt out to, stand in front of this text.
--
-- A frame is base64("<bytes of headers> <bytes of body seen>\n" .. headers .. body): headers as name, line feed,
-- value, line feed … (HTTP allows no line feed in either); the body cut at the cap. Base64, because metadata
-- that is not UTF-8 would arrive empty.

local SPACE = "apisec"

local function capture(handle, key, cap)
  local names, count = {}, 0
  for name, value in pairs(handle:headers()) do
    names[count + 1] = name
    names[count + 2] = value
    count = count + 2
  end
  local headers = table.concat(names, "\n")
  local length = #headers
  local function set(frame) -- Envoy's objects must be asked for again after every wait for a chunk
    handle:streamInfo():dynamicMetadata():set(SPACE, key, handle:base64Escape(frame))
  end
  set(length .. " 0\n" .. headers)

  -- The frame is stored again whenever the body held has doubled: a stream that is cut off leaves at least half
  -- of what passed, and the copying stays linear in the body.
  local parts, held, stored, seen = {}, 0, 0, 0
  local function store()
    parts = { table.concat(parts) }
    set(length .. " " .. seen .. "\n" .. headers .. parts[1])
    stored = held
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
  if SHARDS > 1 then
    handle:streamInfo():dynamicMetadata():set(SPACE, "shard", tostring(shard))
    shard = (shard + 1) % SHARDS
  end
  capture(handle, "q", REQUEST_CAP)
end

function envoy_on_response(handle)
  capture(handle, "s", RESPONSE_CAP)
end
