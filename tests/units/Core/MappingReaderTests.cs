using System.Text;
using IngestTools.Http;
using IngestTools.Services.DspIngest;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Mappings that are not as the server's page has them, and servers that stall.</summary>
public sealed class MappingReaderTests
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Byte_order_mark_is_not_part_of_the_header()
    {
        Assert.Equal([new MappingRow("a.tif", "1.jpx")], await ReadAsync("\uFEFForiginal,derivative\na.tif,1.jpx"));
    }

    [Fact]
    public async Task Quotes_blank_lines_and_further_columns_are_read_leniently()
    {
        IReadOnlyList<MappingRow> rows = await ReadAsync("original,derivative,note\r\n\"a, \"\"b\"\".tif\",1.jpx,x\r\n\r\nc\"d.tif,2.jpx");

        Assert.Equal([new MappingRow("a, \"b\".tif", "1.jpx"), new MappingRow("c\"d.tif", "2.jpx")], rows);
    }

    [Fact]
    public async Task Row_without_a_derivative_is_an_error_that_quotes_it()
    {
        IngestException error = await Assert.ThrowsAsync<IngestException>(() => ReadAsync("original,derivative\na.tif,1.jpx\nBad gateway"));

        Assert.Equal(ErrorId.InvalidAnswer, error.ErrorId);
        Assert.Contains("row 2", error.Message, StringComparison.Ordinal);
        Assert.Contains("Bad gateway", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quote_that_never_closes_ends_as_an_invalid_answer_and_not_in_memory()
    {
        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            ReadAsync("original,derivative\n\"" + new string('x', 8 * 1024 * 1024))
        );

        Assert.Equal(ErrorId.InvalidAnswer, error.ErrorId);
        Assert.Contains("longer than", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disposal_ends_a_read_that_is_under_way_before_its_buffer_is_given_back()
    {
        StalledBody body = new("original,derivative\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"{i}.tif,{i}.jpx\n")));
        MappingReader reader = new(body, ServerText.OfNoSecrets);
        await reader.ReadHeaderAsync().AsTask().WaitAsync(TimeLimit);
        List<MappingRow> rows = new(1000);
        await reader.ReadAsync(rows).AsTask().WaitAsync(TimeLimit);
        Assert.NotEmpty(rows);
        Assert.True(body.IsReading);

        await reader.DisposeAsync().AsTask().WaitAsync(TimeLimit);

        Assert.False(body.IsReading);
    }

    private static async Task<IReadOnlyList<MappingRow>> ReadAsync(string text)
    {
        MappingReader reader = new(new MemoryStream(Encoding.UTF8.GetBytes(text)), ServerText.OfNoSecrets);
        await using (reader)
        {
            await reader.ReadHeaderAsync();
            List<MappingRow> rows = new(10);
            await reader.ReadAsync(rows);
            return rows;
        }
    }

    /// <summary>Gives its text, and then nothing more until the read is canceled.</summary>
    private sealed class StalledBody(string text) : MemoryStream(Encoding.UTF8.GetBytes(text))
    {
        public bool IsReading { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position < Length)
                return await base.ReadAsync(buffer, cancellationToken);
            IsReading = true;
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
                return 0;
            }
            finally
            {
                IsReading = false;
            }
        }
    }
}
