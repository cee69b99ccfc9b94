using IngestTools.Connections;

namespace IngestTools.Units.Core;

/// <summary>What this assembly does as a program that saves connections, beside others that do the same.</summary>
internal static class ProfileProgram
{
    public const string Name = "profiles";

    /// <summary>
    /// Says that it is there, waits for a line, saves so many profiles one after the other, and says <c>done</c>, or why it failed.
    /// </summary>
    public static async Task<int> RunAsync(string folder, string prefix, int count)
    {
        await Console.Out.WriteLineAsync("ready");
        await Console.In.ReadLineAsync();
        try
        {
            for (int i = 0; i < count; i++)
                new ProfileStore(folder).Save(
                    new ConnectionProfile
                    {
                        Name = $"{prefix} {i}",
                        Service = IngestService.DspIngest,
                        Uri = new Uri("http://127.0.0.1:1/"),
                    }
                );
            await Console.Out.WriteLineAsync("done");
        }
        catch (IngestException e)
        {
            await Console.Out.WriteLineAsync($"{e.ErrorId}: {e.Message} {e.Advice}");
        }

        return 0;
    }
}
