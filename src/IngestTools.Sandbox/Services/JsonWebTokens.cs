using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace IngestTools.Sandbox.Services;

/// <summary>Makes tokens of the shape that the real services give out; which of them are valid, each service knows by itself.</summary>
internal sealed class JsonWebTokens
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <param name="claims">What the token says.</param>
    public string Make<T>(T claims)
    {
        string said = $"{Encode(new { typ = "JWT", alg = "HS256" })}.{Encode(claims)}";
        return $"{said}.{Base64Url(HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes(said)))}";
    }

    private static string Encode<T>(T part) => Base64Url(JsonSerializer.SerializeToUtf8Bytes(part));

    private static string Base64Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}
